/**
 * What tests of the link share: a device with real files that enrols at a real server, and a front
 * that stands before that server and can answer in its place, hold every byte back, or cut.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import {
  openDocuments,
  type Documents,
  type RefusedDocument,
} from '../../agent/report/documents.js';
import { openLink, type Link, type LinkOptions } from '../../agent/report/connection.js';
import { enrol } from '../../agent/report/enrol.js';
import type { NetworkSettings } from '../../agent/report/network.js';
import { openOutbox, type Outbox } from '../../agent/report/outbox.js';
import type { Identity } from '../../agent/identity-files.js';
import { openStore, type Store } from '../../agent/store.js';
import { builtInCatalogue, type Catalogue } from '../../policies/catalogue.js';
import { signerHere } from '../../server/bundles.js';
import { makeEnrolToken } from '../../server/enrol.js';
import { signBundle, type BundlePayload } from '../../wire/bundle.js';
import { facts, type Running } from '../server/fixture.js';

/** No proxy and no further authorities. */
export const directNetwork: NetworkSettings = {
  proxyUrl: null,
  proxyBypass: [],
  extraCaFile: null,
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes when the file's tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'curfew-link-'));
  folders.push(folder);
  return folder;
}

/** Waits until something holds; the limit is there to fail, not to measure. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const limit = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const enrolToken = ({ store, clock }: Running, uses = 1): Promise<string> =>
  makeEnrolToken(store, {
    group: 'engineering',
    label: null,
    lifeMs: 3_600_000,
    uses,
    actor: 'test',
    now: clock.now,
  });

/** Signs and stores a bundle as the server's own; the server announces it. */
export async function publishBundle(
  { server, store, clock }: Running,
  sequence: number,
  more: Partial<BundlePayload> = {},
): Promise<string> {
  const { keys, catalogue } = server.context;
  const payload: BundlePayload = {
    format: 1,
    server: store.serverId,
    sequence,
    issuedAt: new Date(clock.now).toISOString(),
    policies: [{ priority: 0, yaml: `policy: p${sequence}\n` }],
    catalogue: { sha256: catalogue.sha256 },
    assignmentKeys: [keys.online.x],
    nextPolicyKey: null,
    ...more,
  };
  const { key } = await signerHere(store.read, keys);
  const jws = await signBundle(payload, key);
  await store.write((writing) =>
    writing.policies.addBundle({
      sequence,
      jws,
      publishedAt: clock.now,
      author: 'test',
      catalogueSha256: payload.catalogue.sha256,
      policies: [],
    }),
  );
  await server.announcePublished();
  return jws;
}

export interface TestDevice {
  readonly folder: string;
  readonly identity: Identity;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly documents: Documents;
  readonly refusals: RefusedDocument[];
  readonly times: number[];
  link(options?: Partial<LinkOptions>): Link;
  close(): Promise<void>;
}

export interface DeviceChoices {
  readonly serverUrl?: string;
  readonly builtIn?: Catalogue;
}

/** Enrolled, with its database open; nothing is connected before `link`. */
export async function makeDevice(
  running: Running,
  { serverUrl = running.url, builtIn = builtInCatalogue() }: DeviceChoices = {},
): Promise<TestDevice> {
  const folder = temporaryFolder();
  const { identity } = await enrol({
    serverUrl,
    token: await enrolToken(running),
    policyKeyThumbprint: null,
    facts: facts('laptop-1'),
    group: '',
    label: null,
    dataFolder: folder,
    network: directNetwork,
  });
  return openDevice({ running, folder, identity, builtIn });
}

export async function openDevice({
  running,
  folder,
  identity,
  builtIn = builtInCatalogue(),
}: {
  readonly running: Running;
  readonly folder: string;
  readonly identity: Identity;
  readonly builtIn?: Catalogue;
}): Promise<TestDevice> {
  const now = (): number => running.clock.now;
  const store = openStore(folder);
  const outbox = openOutbox({ store, now });
  const refusals: RefusedDocument[] = [];
  const onRefused = (refusal: RefusedDocument): void => void refusals.push(refusal);
  const options = { dataFolder: folder, identity, store, builtIn, now, onRefused };
  const documents = await openDocuments(options);
  const links: Link[] = [];
  const times: number[] = [];
  return {
    folder,
    identity,
    store,
    outbox,
    documents,
    refusals,
    times,
    link: (more = {}) => {
      const link = openLink({
        identity,
        serverUrl: identity.serverUrl,
        documents,
        outbox,
        network: directNetwork,
        facts: () => facts('laptop-1'),
        onTime: (serverMs) => void times.push(serverMs),
        wallNow: now,
        ...more,
        timing: { backoffBaseMs: 20, backoffCapMs: 40, ...more.timing },
      });
      links.push(link);
      return link;
    },
    close: async () => {
      for (const link of links) await link.close();
      store.close();
    },
  };
}

/**
 * `pass` forwards to the server and back; `mute` forwards and swallows what comes back; `hold` keeps
 * connections open and silent; an answer is given raw.
 */
export type FrontMode =
  'pass' | 'mute' | 'hold' | { readonly answer: string; readonly flood?: boolean };

export interface Front {
  readonly url: string;
  mode: FrontMode;
  /** Connections that came, and the first line of each request that was answered here. */
  readonly requests: string[];
  connections: number;
  cut(): void;
  close(): Promise<void>;
}

export async function startFront(target: string): Promise<Front> {
  const sockets = new Set<Socket>();
  const port = Number(new URL(target).port);
  const server = createServer((incoming) => {
    front.connections += 1;
    sockets.add(incoming);
    incoming.on('error', () => incoming.destroy());
    incoming.on('close', () => sockets.delete(incoming));
    const { mode } = front;
    if (typeof mode === 'object') {
      incoming.once('data', (head) => {
        front.requests.push(head.toString('latin1').split('\r\n')[0] ?? '');
        if (mode.flood === true) flood(incoming, mode.answer);
        else incoming.end(mode.answer);
      });
      return;
    }
    const outgoing = connect(port, '127.0.0.1');
    sockets.add(outgoing);
    outgoing.on('error', () => incoming.destroy());
    incoming.on('data', (bytes) => void (front.mode !== 'hold' && outgoing.write(bytes)));
    outgoing.on('data', (bytes) => void (front.mode === 'pass' && incoming.write(bytes)));
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => front.mode === 'pass' && incoming.destroy());
  });
  const front: Front = {
    url: '',
    mode: 'pass',
    requests: [],
    connections: 0,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    close: async () => {
      front.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: own } = server.address() as AddressInfo;
  return Object.assign(front, { url: `http://127.0.0.1:${own}` });
}

/** A head and then bytes for as long as the other side takes them. */
function flood(socket: Socket, head: string): void {
  const block = Buffer.alloc(64 * 1024, 0x20);
  socket.write(head);
  const more = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', more);
  more();
}
