/**
 * A device for tests of the server: enrols over HTTP and reports over the real WebSocket, with a key and
 * tokens of its own, but finds nothing itself: the test says what it reports. Each report is settled
 * only when the server has acknowledged it as on disk.
 */
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { reportHash, sha256Hex, zeroHash } from '../../wire/digest.js';
import { deviceToken, makeDeviceKey } from '../../wire/identity.js';
import {
  subprotocol,
  wireVersion,
  type DeviceFacts,
  type FromAgent,
  type FromServer,
  type ReportBody,
  type ReportedComponent,
  type ReportedVerdict,
  type ScanState,
  type Subject,
} from '../../wire/messages.js';
import { parseEnrollAnswer, parseMessage } from '../../wire/parse.js';

const answerTimeoutMs = 10_000;

/** What a test decides of a device. */
export interface DeviceOptions {
  /** The server's address, `http://127.0.0.1:…`. */
  readonly address: string;
  readonly enrolToken: string;
  readonly hostName: string;
  readonly label?: string;
  readonly clock: () => number;
}

/** An enrolled device. `report` opens the connection when there is none. */
export interface ReportingDevice {
  readonly id: string;
  report(body: ReportBody, subject?: Subject): Promise<void>;
  /** Cuts the connection: the device is offline. */
  close(): void;
}

const machine: Subject = { kind: 'machine' };

function factsOf(hostName: string): DeviceFacts {
  return {
    hostName,
    platform: 'linux',
    osName: 'Debian GNU/Linux',
    osVersion: '12',
    arch: 'x64',
    hardwareId: null,
    agentVersion: '0.1.0',
    zone: 'Asia/Shanghai',
  };
}

/** A stream's place in its chain. */
interface Stream {
  readonly name: string;
  seq: number;
  prev: string;
}

/** Enrols a new device. */
export async function enrolDevice(options: DeviceOptions): Promise<ReportingDevice> {
  const { address, enrolToken, hostName, label = null, clock } = options;
  const key = await makeDeviceKey();
  const facts = factsOf(hostName);
  const answer = await fetch(`${address}/api/v1/enroll`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      token: enrolToken,
      publicKey: key.x,
      facts,
      group: 'engineering',
      label,
    }),
  });
  const parsed = parseEnrollAnswer(await answer.json());
  if (parsed.kind === 'invalid') throw new Error(`${hostName} was not enrolled: ${answer.status}`);
  const { deviceId, serverId } = parsed.value;
  const streams = new Map<string, Stream>();
  let socket: WebSocket | null = null;

  const open = async (): Promise<WebSocket> => {
    if (socket?.readyState === WebSocket.OPEN) return socket;
    const nowMs = clock();
    const token = await deviceToken({ deviceId, privateKey: key, audience: serverId, nowMs });
    const opened = new WebSocket(`${address.replace('http', 'ws')}/api/v1/agent`, subprotocol, {
      headers: { authorization: `Bearer ${token}` },
    });
    await new Promise((resolve, reject) => {
      opened.once('open', resolve);
      opened.once('error', reject);
    });
    const hello: FromAgent = {
      type: 'hello',
      wire: wireVersion,
      facts,
      bundleSequence: 0,
      assignmentSequence: 0,
      catalogueSha256: null,
      streams: [],
      wallTime: new Date(nowMs).toISOString(),
    };
    await ask(opened, hello, (message) => message.type === 'welcome');
    socket = opened;
    return opened;
  };

  return {
    id: deviceId,
    async report(body, subject = machine) {
      const link = await open();
      const whose = subject.kind === 'machine' ? 'machine' : `person ${subject.account}`;
      const stream = streams.get(whose) ?? {
        name: randomBytes(12).toString('hex'),
        seq: 0,
        prev: zeroHash,
      };
      streams.set(whose, stream);
      const { name, prev } = stream;
      const seq = stream.seq + 1;
      const text = JSON.stringify(body);
      const sha256 = reportHash(name, seq, prev, text);
      await ask(
        link,
        { type: 'report', stream: name, subject, seq, prev, sha256, body: text },
        (message) => message.type === 'ack' && message.stream === name && message.seq === seq,
      );
      stream.seq = seq;
      stream.prev = sha256;
    },
    close() {
      socket?.terminate();
      socket = null;
    },
  };
}

/** Sends, and waits for the one message that answers; a refusal or silence fails. */
async function ask(
  socket: WebSocket,
  message: FromAgent,
  isAnswer: (answer: FromServer) => boolean,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => settle(new Error('the server did not answer')), answerTimeoutMs);
    const hear = (content: Buffer) => {
      const parsed = parseMessage('from-server', content);
      if (parsed.kind === 'invalid') return settle(new Error(`${parsed.path} ${parsed.message}`));
      if (isAnswer(parsed.value)) return settle(null);
      if (parsed.value.type === 'refused') settle(new Error(parsed.value.message));
    };
    const settle = (fault: Error | null) => {
      clearTimeout(timer);
      socket.off('message', hear);
      if (fault === null) resolve();
      else reject(fault);
    };
    socket.on('message', hear);
    socket.send(JSON.stringify(message));
  });
}

/** A component as an agent of `account` would report it. */
export function reportedComponent(
  seed: Pick<ReportedComponent, 'tool' | 'name' | 'path' | 'version'> & {
    readonly account: string;
    readonly at: number;
    readonly verdict: Partial<ReportedVerdict> & Pick<ReportedVerdict, 'status'>;
  },
): ReportedComponent {
  const { account, at, verdict, ...named } = seed;
  return {
    ...named,
    id: sha256Hex(`${account} ${named.path}`).slice(0, 32),
    channel: 'npm',
    manager: 'nvm',
    purl: null,
    owner: account,
    scope: 'global',
    state: 'installed',
    confidence: 'high',
    evidence: ['package.json', 'PATH'],
    firstSeen: new Date(at).toISOString(),
    verdict: {
      policy: null,
      rule: null,
      severity: null,
      announce: null,
      effective: null,
      action: null,
      effectiveAction: null,
      replacement: null,
      ...verdict,
    },
  };
}

/** A scan that read every root to its end. */
export function completeScan(at: number, roots: number): ScanState {
  const instant = new Date(at).toISOString();
  return { status: 'complete', at: instant, lastComplete: instant, roots, notRead: [] };
}
