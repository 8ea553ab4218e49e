/**
 * A Verdaccio on loopback with the entries of compiled files in its configuration, as an admin takes
 * them over. Its storage is a temporary folder, it has no uplink, and anybody may publish.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runServer } from 'verdaccio';
import { parse } from 'yaml';
import type { Compiled } from '../../../policies/compile/index.js';
import { textOf } from './readers.js';

export interface Registry {
  readonly address: string;
  ask(name: string): Promise<Response>;
  /** A version with these bytes as its file; by default bytes that name it. */
  publish(name: string, version: string, file?: Buffer): Promise<void>;
  close(): Promise<void>;
}

const fileOf = (name: string, version: string): string =>
  `${name.replace(/^.*\//, '')}-${version}.tgz`;

export async function startVerdaccio(result: Compiled): Promise<Registry> {
  const folder = mkdtempSync(path.join(tmpdir(), 'curfew-verdaccio-'));
  const { filters } = parse(textOf(result, 'verdaccio-filter.yaml') ?? '{}') as {
    filters?: object;
  };
  const { packages = {} } = parse(textOf(result, 'verdaccio-packages.yaml') ?? '{}') as {
    packages?: Readonly<Record<string, object>>;
  };
  const open = { access: '$all', publish: '$all', unpublish: '$all' };
  const refused = Object.entries(packages).map(([name, rule]) => [name, { ...open, ...rule }]);
  const configuration = {
    ...{ storage: folder, self_path: path.join(folder, 'config.yaml'), uplinks: {}, auth: {} },
    configPath: path.join(folder, 'config.yaml'),
    log: { type: 'stdout', format: 'pretty', level: 'fatal' },
    web: { enable: false },
    ...(filters === undefined ? {} : { filters }),
    packages: { ...Object.fromEntries(refused), '**': open },
  };
  const server = (await runServer(configuration as unknown as string)) as Server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const placeOf = (name: string): string => `${address}/${name.replace('/', '%2f')}`;
  return {
    address,
    ask: (name) => fetch(placeOf(name)),
    publish: async (name, version, file) => {
      const body = manifestOf(address, name, version, file ?? Buffer.from(`${name} ${version}`));
      const reply = await fetch(placeOf(name), {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (reply.status !== 201) throw new Error(`${name}@${version}: ${await reply.text()}`);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What `npm publish` sends. */
function manifestOf(address: string, name: string, version: string, bytes: Buffer): object {
  const file = fileOf(name, version);
  const sum = (kind: string, form: 'hex' | 'base64'): string =>
    createHash(kind).update(bytes).digest(form);
  return {
    ...{ _id: name, name, 'dist-tags': { latest: version } },
    versions: {
      [version]: {
        ...{ name, version, _id: `${name}@${version}` },
        dist: {
          shasum: sum('sha1', 'hex'),
          integrity: `sha512-${sum('sha512', 'base64')}`,
          tarball: `${address}/${name}/-/${file}`,
        },
      },
    },
    _attachments: {
      [file]: {
        content_type: 'application/octet-stream',
        data: bytes.toString('base64'),
        length: bytes.length,
      },
    },
  };
}
