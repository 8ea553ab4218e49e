/**
 * The agent's only sockets to outside: one bounded HTTP exchange and one WebSocket, both to the server
 * of the settings. No redirect is followed, certificate checks cannot be turned off, and what answers
 * with a web page is a captive portal, which counts as being offline. Whether to go through a proxy is
 * decided in `routeTo` alone.
 */
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { WebSocket } from 'ws';
import { CurfewError } from '../../wire/errors.js';
import { maxMessageBytes, parseJson } from '../../wire/parse.js';
import type { SettingValues } from '../settings.js';

const maxAnswerBytes = 1024 * 1024;
const maxRefusalBytes = 64 * 1024;
const maxCaFileBytes = 4 * 1024 * 1024;

/** What of the settings decides how the server is reached. */
export interface NetworkSettings {
  /** `ProxyUrl`, or what the environment names in its place. */
  readonly proxyUrl: string | null;
  /** Hosts (`name`, `.domain`) that are reached directly. */
  readonly proxyBypass: readonly string[];
  /** PEM file with certificate authorities beside the system's and Node's own. */
  readonly extraCaFile: string | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The network of the settings; a proxy that is not set is taken from HTTPS_PROXY and NO_PROXY. */
export function networkSettings(
  values: Pick<SettingValues, 'ProxyUrl' | 'ProxyBypass' | 'ExtraCaFile'>,
  env: Environment,
): NetworkSettings {
  const ofEnvironment = (name: string): string => env[name] ?? env[name.toLowerCase()] ?? '';
  const bypass = ofEnvironment('NO_PROXY').split(',');
  return {
    proxyUrl: values.ProxyUrl ?? (ofEnvironment('HTTPS_PROXY') || null),
    proxyBypass:
      values.ProxyBypass.length > 0
        ? values.ProxyBypass
        : bypass.map((entry) => entry.trim()).filter((entry) => entry !== ''),
    extraCaFile: values.ExtraCaFile,
  };
}

/** Nobody who speaks for the server was reached: `captive-portal` is a page or a redirect in its place. */
export interface Offline {
  readonly kind: 'offline';
  readonly reason: 'unreachable' | 'timeout' | 'untrusted' | 'captive-portal' | 'not-curfew';
  readonly message: string;
}

/** JSON with its status; `code` and `detail` are those of a problem document (RFC 9457). */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  readonly value: unknown;
  readonly code: string | null;
  readonly detail: string | null;
  /** The server's clock, epoch ms, from `Date`; whole seconds. */
  readonly dateMs: number | null;
  readonly retryAfterMs: number | null;
}

export interface HttpOptions {
  readonly network: NetworkSettings;
  readonly timeoutMs: number;
}

export interface SocketOptions extends HttpOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly subprotocol: string;
  /** Gives up while connecting. */
  readonly signal?: AbortSignal;
}

/** An open connection, as the rest of the agent knows it. */
export type ServerSocket = WebSocket;

/** The socket is paused: attach the listeners, then resume. */
export interface Opened {
  readonly kind: 'open';
  readonly socket: ServerSocket;
}

/** The server's address: https, or http on loopback; no credentials. SETTING_INVALID otherwise. */
export function serverAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isAllowed =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (url !== null && isAllowed && url.username === '' && url.password === '') return url;
  throw new CurfewError('SETTING_INVALID', 'ServerUrl is not an https address', {
    hint: 'Write it as https://host; http is for loopback only, and it carries no name or password.',
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

function isBypassed(host: string, bypass: readonly string[]): boolean {
  return bypass.some((entry) => (entry.startsWith('.') ? host.endsWith(entry) : host === entry));
}

/** The options that say by which way and with which trust an address is reached. */
function routeTo(url: URL, settings: NetworkSettings): RequestOptions & tls.ConnectionOptions {
  if (isLoopback(url.hostname)) return url.protocol === 'https:' ? trust(settings) : {};
  if (settings.proxyUrl !== null && !isBypassed(url.hostname, settings.proxyBypass)) {
    // Going round a proxy that is asked for would be worse than not going at all.
    throw new CurfewError('SETTING_INVALID', 'a proxy is set, and proxies are not built yet', {
      hint: 'Add the server to ProxyBypass if it can be reached directly.',
    });
  }
  return trust(settings);
}

let ownAuthorities: readonly string[] | null = null;

/** Node's authorities, the system's, and those of the file named in the settings. */
function trust({ extraCaFile }: NetworkSettings): tls.ConnectionOptions {
  ownAuthorities ??= [...tls.getCACertificates('default'), ...tls.getCACertificates('system')];
  if (extraCaFile === null) return { ca: [...ownAuthorities] };
  let pem: string;
  try {
    pem = readFileSync(extraCaFile, 'utf8');
  } catch (error) {
    throw new CurfewError('SETTING_INVALID', `ExtraCaFile ${extraCaFile} cannot be read`, {
      hint: 'Name a PEM file that the agent may read.',
      cause: error,
    });
  }
  if (pem.length > maxCaFileBytes || !pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new CurfewError('SETTING_INVALID', `ExtraCaFile ${extraCaFile} is no PEM file`);
  }
  return { ca: [...ownAuthorities, pem] };
}

const offline = (reason: Offline['reason'], message: string): Offline => ({
  kind: 'offline',
  reason,
  message,
});

function offlineOf(error: unknown, url: URL): Offline {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const name = error instanceof Error ? error.name : '';
  const text = error instanceof Error ? error.message || code : String(error);
  if (name === 'TimeoutError' || name === 'AbortError' || /handshake has timed out/.test(text)) {
    return offline('timeout', `${url.host} did not answer in time`);
  }
  // The codes of OpenSSL's verification, as Node gives them (node:tls, "X509 certificate error codes").
  if (/CERT|ISSUER|SELF_SIGNED|ALTNAME/.test(code)) {
    return offline('untrusted', `the certificate of ${url.host} is not trusted: ${text}`);
  }
  return offline('unreachable', `${url.host} cannot be reached: ${text}`);
}

function isPage(answer: IncomingMessage): boolean {
  const status = answer.statusCode ?? 0;
  const type = answer.headers['content-type'] ?? '';
  return (status >= 300 && status < 400) || /^\s*text\/html|xhtml/i.test(type);
}

/** The answer's bytes, or null once there are more than `maxBytes`. */
async function readBounded(answer: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    size += (chunk as Buffer).length;
    if (size > maxBytes) return null;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** What answered, as far as it can be our server: JSON. */
async function answerOf(
  answer: IncomingMessage,
  url: URL,
  maxBytes: number,
): Promise<Answer | Offline> {
  if (isPage(answer)) {
    answer.destroy();
    return offline('captive-portal', `${url.host} answered with a web page or a redirect`);
  }
  const bytes = await readBounded(answer, maxBytes);
  const status = answer.statusCode ?? 0;
  if (bytes === null) return offline('not-curfew', `${url.host} sent over ${maxBytes} bytes`);
  const empty = bytes.length === 0 ? { kind: 'value' as const, value: null } : null;
  const tree = empty ?? parseJson(bytes, maxBytes);
  if (tree.kind === 'invalid') {
    return offline('not-curfew', `${url.host} answered ${status} with something else than JSON`);
  }
  const problem = (tree.value ?? {}) as Record<string, unknown>;
  const word = (name: string): string | null =>
    typeof problem[name] === 'string' ? problem[name].slice(0, 512) : null;
  const dateMs = Date.parse(answer.headers.date ?? '');
  const retryAfter = Number(answer.headers['retry-after']);
  return {
    kind: 'answer',
    status,
    value: tree.value,
    code: status >= 400 ? word('code') : null,
    detail: status >= 400 ? word('detail') : null,
    dateMs: Number.isNaN(dateMs) ? null : dateMs,
    retryAfterMs: retryAfter > 0 ? retryAfter * 1000 : null,
  };
}

/** One exchange of JSON. What the settings forbid throws SETTING_INVALID; all else is a value. */
export async function httpJson(
  method: 'GET' | 'POST',
  url: URL,
  body: unknown,
  options: HttpOptions,
): Promise<Answer | Offline> {
  const text = body === undefined ? null : JSON.stringify(body);
  const limit = AbortSignal.timeout(options.timeoutMs);
  const request = (url.protocol === 'https:' ? https : http).request(url, {
    ...routeTo(url, options.network),
    method,
    agent: false,
    signal: limit,
    headers: {
      accept: 'application/json, application/problem+json',
      ...(text === null
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    },
  });
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve);
      request.on('error', reject);
      request.end(text ?? undefined);
    });
    return await answerOf(answer, url, maxAnswerBytes);
  } catch (error) {
    // An answer that is cut in its middle says only that it was aborted.
    return offlineOf(limit.aborted ? limit.reason : error, url);
  } finally {
    request.destroy();
  }
}

/** A WebSocket to the server, or what was answered in its place. */
export async function openSocket(
  url: URL,
  options: SocketOptions,
): Promise<Opened | Answer | Offline> {
  const address = new URL(url);
  address.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(address, options.subprotocol, {
    ...routeTo(url, options.network),
    headers: options.headers,
    handshakeTimeout: options.timeoutMs,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    followRedirects: false,
  });
  const giveUp = (): void => socket.terminate();
  options.signal?.addEventListener('abort', giveUp);
  const opening = new Promise<Opened | Answer | Offline>((resolve) => {
    socket.on('open', () => {
      socket.pause();
      resolve({ kind: 'open', socket });
    });
    socket.on('error', (error) => resolve(offlineOf(error, url)));
    socket.on('unexpected-response', (request, answer) => {
      const timer = setTimeout(() => request.destroy(), options.timeoutMs);
      const settle = (refusal: Answer | Offline): void => {
        clearTimeout(timer);
        resolve(refusal);
        request.destroy();
        socket.terminate();
      };
      answerOf(answer, url, maxRefusalBytes).then(settle, (error: unknown) =>
        settle(offlineOf(error, url)),
      );
    });
  });
  return opening.finally(() => options.signal?.removeEventListener('abort', giveUp));
}
