/**
 * Real servers and real agents as processes of their own, for tests of the whole: the built bundles,
 * data in temporary folders, loopback only. Nothing here knows what is right; tests do.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startChild, type Child } from '../../installers/local/children.js';
import { spawnSync } from 'node:child_process';
import type { Compliance, DevicePage, FindingPage, DeviceDetail } from '../../server/views.js';

const top = path.resolve(import.meta.dirname, '..', '..');
export const curfew = path.join(top, 'dist', 'agent', 'curfew.mjs');
export const curfewServer = path.join(top, 'dist', 'server', 'curfew-server.mjs');
export const examplePolicy = path.join(top, 'policies', 'examples', 'claude-code-to-qoder.yaml');

/** Runs a command of ours to its end; throws with its words when it fails. */
export function command(args: readonly string[], env: Readonly<Record<string, string>>): string {
  const ran = spawnSync(process.execPath, [...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (ran.status === 0) return ran.stdout.trim();
  throw new Error(`${args.join(' ')} ended with ${ran.status}: ${ran.stderr}`);
}

/** A port that is free now; another program could take it before it is used. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** Looked again after this long; the API's rate limit is meant for people. */
const pollMs = 120;

/** Looks until there is something to see; throws after `timeoutMs`. */
export async function until<T>(
  look: () => Promise<T | null> | T | null,
  timeoutMs: number,
  what: string,
): Promise<T> {
  const stopAt = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== null) return seen;
    if (Date.now() > stopAt) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

export interface Fleet {
  readonly folder: string;
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  startServer(): Promise<Child>;
  /** Plans a policy and makes it live. */
  publish(file: string): void;
  /** Enrols a home as a device; its data folder is `<folder>/<name>`. */
  enrol(name: string): void;
  /** `onLog` receives each line of its log. */
  startAgent(
    name: string,
    home: string,
    extra?: Readonly<Record<string, string>>,
    onLog?: (line: string) => void,
  ): Child;
  /** A signed-in reader of the API. */
  signIn(): Promise<Api>;
  close(): Promise<void>;
}

export interface Api {
  get<T>(route: string): Promise<T>;
  compliance(): Promise<Compliance>;
  devices(): Promise<DevicePage>;
  device(id: string): Promise<DeviceDetail>;
  findings(query?: string): Promise<FindingPage>;
  readonly cookie: string;
}

/** A data folder and a port; nothing is running yet. */
export async function makeFleet(): Promise<Fleet> {
  const folder = mkdtempSync(path.join(tmpdir(), 'curfew-fleet-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    CURFEW_SERVER_DATA: path.join(folder, 'server'),
    CURFEW_SERVER_PORT: String(port),
    CURFEW_SERVER_HOST: '127.0.0.1',
  };
  const children: Child[] = [];
  const keep = (child: Child): Child => {
    children.push(child);
    return child;
  };
  const agentEnv = (name: string) => ({
    CURFEW_DATA_FOLDER: path.join(folder, name),
    CURFEW_SERVER_URL: url,
  });
  command([curfewServer, 'init'], env);
  return {
    folder,
    url,
    env,
    startServer: async () => {
      const child = keep(startChild('server', [curfewServer, 'serve'], env));
      await listening(child);
      return child;
    },
    publish: (file) => {
      command([curfewServer, 'policy', 'plan', file], env);
      command([curfewServer, 'policy', 'publish', file], env);
    },
    enrol: (name) => {
      mkdirSync(path.join(folder, name), { recursive: true, mode: 0o700 });
      const CURFEW_TEST_TOKEN = command([curfewServer, 'token', 'create', '--uses', '1'], env);
      command([curfew, 'enroll', '--server', url, '--token-env', 'CURFEW_TEST_TOKEN'], {
        ...agentEnv(name),
        CURFEW_TEST_TOKEN,
      });
    },
    startAgent: (name, home, extra = {}, onLog = () => {}) => {
      const env = { ...agentEnv(name), CURFEW_HOME_ONLY: home, ...extra };
      return keep(startChild(name, [curfew, 'run'], env, onLog));
    },
    signIn: () => signIn(url, env),
    close: async () => {
      await Promise.all(children.map((child) => child.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listening(child: Child): Promise<void> {
  return new Promise((resolve, reject) => {
    child.onRecord((record) => {
      if (record['event'] === 'listening') resolve();
    });
    void child.ended.then(() => reject(new Error(`the server ended: ${child.lastWords()}`)));
  });
}

async function signIn(url: string, env: Readonly<Record<string, string>>): Promise<Api> {
  const link = command([curfewServer, 'user', 'link'], env);
  const answer = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ link: link.slice(link.lastIndexOf('/') + 1) }),
  });
  if (!answer.ok) throw new Error(`sign-in: ${answer.status} ${await answer.text()}`);
  const cookie = (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  const get = async <T>(route: string): Promise<T> => {
    const got = await fetch(`${url}/api/v1${route}`, { headers: { cookie } });
    if (!got.ok) throw new Error(`${route}: ${got.status} ${await got.text()}`);
    return (await got.json()) as T;
  };
  return {
    get,
    cookie,
    compliance: () => get<Compliance>('/compliance'),
    devices: () => get<DevicePage>('/devices'),
    device: (id) => get<DeviceDetail>(`/devices/${id}`),
    findings: (query = '') => get<FindingPage>(`/findings${query}`),
  };
}
