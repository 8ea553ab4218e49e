/**
 * A real server on an ephemeral port and a small real agent for its tests: own key, own streams, the
 * wire's own functions. The agent sends exactly what it is told to, also what no agent should.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { createServer, type CurfewServer } from '../../server/app.js';
import { makeEnrolToken } from '../../server/enrol.js';
import { makeSignInLink } from '../../server/people.js';
import { readSettings } from '../../server/settings.js';
import type { Store } from '../../server/store/index.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { reportHash, zeroHash } from '../../wire/digest.js';
import { deviceToken, makeDeviceKey } from '../../wire/identity.js';
import type { SigningKey } from '../../wire/keys.js';
import {
  subprotocol,
  type DeviceFacts,
  type EnrollAnswer,
  type FromServer,
  type Report,
  type ReportBody,
  type ReportedComponent,
  type ScanState,
  type Subject,
} from '../../wire/messages.js';
import { parseMessage } from '../../wire/parse.js';

export interface Running {
  readonly server: CurfewServer;
  readonly store: Store;
  readonly url: string;
  readonly folder: string;
  /** Epoch ms that the server takes for now. */
  clock: { now: number };
  /** The cookie of an admin's session. */
  signIn(): Promise<string>;
  get(path: string, cookie?: string): Promise<Response>;
  /** Stops server and store, keeps the folder. */
  stop(): Promise<void>;
  remove(): void;
}

/** 2026-07-09T12:00:00Z: the day before the ban of the example takes effect. */
export const noon = Date.UTC(2026, 6, 9, 12);

export async function startServer(
  options: { folder?: string; flags?: Record<string, string>; consoleFolder?: string } = {},
): Promise<Running> {
  const folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'curfew-server-'));
  const settings = readSettings({
    flags: { data: folder, port: '0', ...options.flags },
    environment: {},
  });
  const clock = { now: noon };
  const store = openSqliteStore(path.join(folder, 'server.db'));
  const server = await createServer({
    settings,
    store,
    clock: () => clock.now,
    log: pino({ level: 'silent' }),
    consoleFolder: options.consoleFolder ?? folder,
  });
  const url = await server.listen();
  let session: string | null = null;
  const signIn = async (): Promise<string> => {
    const link = await makeSignInLink(store, { user: 'ana', role: 'admin', now: clock.now });
    const answer = await fetch(`${url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ link }),
    });
    return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  };
  return {
    server,
    store,
    url,
    folder,
    clock,
    signIn,
    get: async (route, cookie) =>
      fetch(`${url}/api/v1${route}`, {
        headers: { cookie: cookie ?? (session ??= await signIn()) },
      }),
    stop: async () => {
      await server.close();
      await store.close();
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export const facts = (hostName: string, hardwareId: string | null = null): DeviceFacts => ({
  hostName,
  platform: 'linux',
  osName: 'Debian',
  osVersion: '12',
  arch: 'x64',
  hardwareId,
  agentVersion: '0.1.0',
  zone: 'Asia/Shanghai',
});

export interface Enrolled {
  readonly id: string;
  readonly key: SigningKey;
  readonly answer: EnrollAnswer;
}

export async function postEnrol(url: string, body: unknown): Promise<Response> {
  return fetch(`${url}/api/v1/enroll`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

export async function enrolDevice(
  { store, url, clock }: Running,
  hostName = 'laptop-1',
  hardwareId: string | null = null,
): Promise<Enrolled> {
  const token = await makeEnrolToken(store, {
    group: null,
    label: null,
    lifeMs: 3_600_000,
    uses: 1,
    actor: 'test',
    now: clock.now,
  });
  const key = await makeDeviceKey();
  const response = await postEnrol(url, {
    token,
    publicKey: key.x,
    facts: facts(hostName, hardwareId),
    group: 'engineering',
    label: null,
  });
  const answer = (await response.json()) as EnrollAnswer;
  return { id: answer.deviceId, key, answer };
}

export const tokenOf = ({ id, key, answer }: Enrolled, nowMs: number): Promise<string> =>
  deviceToken({ deviceId: id, privateKey: key, audience: answer.serverId, nowMs });

/** A connection that keeps what it hears and can be asked for the next message of a type. */
export class TestAgent {
  readonly socket: WebSocket;
  readonly heard: FromServer[] = [];
  closed: { code: number } | null = null;
  #taken = 0;
  #wake: () => void = () => undefined;

  constructor(url: string, token: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/agent`, subprotocol, {
      headers: { authorization: `Bearer ${token}` },
    });
    this.socket.on('message', (content: Buffer) => {
      const parsed = parseMessage('from-server', content);
      if (parsed.kind === 'invalid') throw new Error(`${parsed.path} ${parsed.message}`);
      this.heard.push(parsed.value);
      this.#wake();
    });
    this.socket.on('close', (code) => {
      this.closed = { code };
      this.#wake();
    });
    this.socket.on('error', () => undefined);
  }

  async opened(): Promise<this> {
    if (this.socket.readyState === WebSocket.OPEN) return this;
    await new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    return this;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message that was not asked for yet. */
  async next(): Promise<FromServer> {
    for (;;) {
      const message = this.heard[this.#taken];
      if (message !== undefined) {
        this.#taken += 1;
        return message;
      }
      if (this.closed !== null) throw new Error(`closed with ${this.closed.code}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async whenClosed(): Promise<number> {
    while (this.closed === null) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.closed.code;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.whenClosed();
  }
}

export const hello = (hostName = 'laptop-1') => ({
  type: 'hello',
  wire: 1,
  facts: facts(hostName),
  bundleSequence: 0,
  assignmentSequence: 0,
  catalogueSha256: null,
  streams: [],
  wallTime: new Date(noon).toISOString(),
});

/** Connected and greeted; the welcome has been taken. */
export async function connect(running: Running, device: Enrolled): Promise<TestAgent> {
  const token = await tokenOf(device, running.clock.now);
  const agent = await new TestAgent(running.url, token).opened();
  agent.send(hello());
  const welcome = await agent.next();
  if (welcome.type !== 'welcome') throw new Error(`expected welcome, got ${welcome.type}`);
  return agent;
}

/** A stream's chain, link by link. */
export class TestStream {
  readonly name: string;
  readonly subject: Subject;
  seq = 0;
  prev = zeroHash;

  constructor(subject: Subject = { kind: 'machine' }, name: string = randomUUID()) {
    this.subject = subject;
    this.name = name;
  }

  /** The next report; the chain moves on whether it is sent or not. */
  next(body: ReportBody): Report {
    this.seq += 1;
    const text = JSON.stringify(body);
    const sha256 = reportHash(this.name, this.seq, this.prev, text);
    const report: Report = {
      type: 'report',
      stream: this.name,
      subject: this.subject,
      seq: this.seq,
      prev: this.prev,
      sha256,
      body: text,
    };
    this.prev = sha256;
    return report;
  }
}

const at = new Date(noon).toISOString();

export const complete: ScanState = {
  status: 'complete',
  at,
  lastComplete: at,
  roots: 12,
  notRead: [],
};
export const partial: ScanState = {
  ...complete,
  status: 'partial',
  lastComplete: null,
  notRead: [{ root: '~/.npm-global', status: 'unreadable' }],
};

export type Status = ReportedComponent['verdict']['status'];

/** A component whose id is a digit repeated; the verdict carries the example's rule. */
export function component(
  digit: string,
  options: { status?: Status; owner?: string | null; version?: string; tool?: string | null } = {},
): ReportedComponent {
  const { status = 'pending', owner = null, version = '2.1.91', tool = 'claude-code' } = options;
  const isDenied = status === 'violation' || status === 'pending';
  return {
    id: digit.repeat(32),
    tool,
    channel: 'npm',
    manager: 'npm',
    purl: `pkg:npm/%40anthropic-ai/claude-code@${version}`,
    name: '@anthropic-ai/claude-code',
    version,
    path: '/usr/lib/node_modules/@anthropic-ai/claude-code',
    owner,
    scope: 'global',
    state: 'installed',
    confidence: 'high',
    evidence: ['package.json'],
    firstSeen: at,
    verdict: {
      status,
      policy: 'ai-coding-tools',
      rule: 'claude-code-ban',
      severity: 'high',
      announce: null,
      effective: isDenied ? '2026-07-09T16:00:00.000Z' : null,
      action: 'notify',
      effectiveAction: 'notify',
      replacement: isDenied ? 'qoder' : null,
    },
  };
}

export const snapshot = (
  components: ReportedComponent[],
  {
    scan = complete,
    part = 1,
    parts = 1,
  }: { scan?: ScanState; part?: number; parts?: number } = {},
): ReportBody => ({ kind: 'snapshot', at, part, parts, components, scan, bundleSequence: 1 });

export const changes = (
  present: ReportedComponent[],
  removed: string[] = [],
  scan: ScanState = complete,
): ReportBody => ({ kind: 'changes', at, present, removed, scan, bundleSequence: 1 });
