/**
 * The door for text that comes from the other side: a frame, a report's body, an HTTP body. It answers
 * with the typed value or the path of the first field that is wrong, so inside nobody checks again.
 * Bounded in bytes and depth before anything else; checks are compiled once, on first use.
 */
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import {
  Ack,
  Available,
  Busy,
  Document,
  EnrollAnswer,
  EnrollRequest,
  Get,
  Hello,
  maxFrameBytes,
  Refused,
  Report,
  ReportBody,
  Resync,
  Welcome,
  type FromAgent,
  type FromServer,
} from './messages.js';

/** A frame's text may be larger than what it carries by escapes and the fields around it. */
export const maxMessageBytes = maxFrameBytes + 64 * 1024;
const maxDepth = 24;

/** `path` is a JSON pointer of the field, empty for the text as a whole. */
export interface Invalid {
  readonly kind: 'invalid';
  readonly path: string;
  readonly message: string;
}
export type Parsed<T> = { readonly kind: 'value'; readonly value: T } | Invalid;

const invalid = (path: string, message: string): Invalid => ({ kind: 'invalid', path, message });

/** Bytes or text of JSON into a plain tree: valid UTF-8, no `__proto__`, no NUL, bounded in depth. */
export function parseJson(text: string | Uint8Array, maxBytes: number): Parsed<unknown> {
  const bytes = typeof text === 'string' ? Buffer.byteLength(text, 'utf8') : text.byteLength;
  if (bytes > maxBytes) return invalid('', `${bytes} bytes are more than the ${maxBytes} allowed`);
  let tree: unknown;
  try {
    const decoded =
      typeof text === 'string' ? text : new TextDecoder('utf-8', { fatal: true }).decode(text);
    tree = JSON.parse(decoded);
  } catch (error) {
    const isJson = error instanceof SyntaxError;
    return invalid('', isJson ? 'not JSON' : 'not UTF-8');
  }
  return faultOf(tree, '', 0) ?? { kind: 'value', value: tree };
}

/** What no schema says and no store can hold: prototype keys, NUL, half a surrogate pair, great depth. */
function faultOf(value: unknown, path: string, depth: number): Invalid | null {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) return invalid(path, 'holds half a surrogate pair');
    return value.includes('\0') ? invalid(path, 'holds a NUL') : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= maxDepth) return invalid(path, `nested deeper than ${maxDepth}`);
  for (const [key, below] of Object.entries(value)) {
    if (key === '__proto__') return invalid(path, 'has the key __proto__');
    const fault = faultOf(key, path, depth) ?? faultOf(below, `${path}/${key}`, depth + 1);
    if (fault !== null) return fault;
  }
  return null;
}

/** A check of one schema, compiled on first use. */
export function checker<T extends TSchema>(schema: T): (value: unknown) => Parsed<Static<T>> {
  let compiled: Validator<Record<never, never>, T> | null = null;
  return (value) => {
    compiled ??= Compile(schema);
    if (compiled.Check(value)) return { kind: 'value', value: value as Static<T> };
    const [first] = compiled.Errors(value);
    // TypeBox says of a field too many that its schema is false.
    const message = first?.keyword === 'boolean' ? 'is not known' : first?.message;
    return invalid(first?.instancePath ?? '', message ?? 'is not as its schema says');
  };
}

type Check = (value: unknown) => Parsed<unknown>;

/** The check of the member that a literal field names: its errors speak of that member alone. */
function byWord(word: string, members: Readonly<Record<string, Check>>): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null) return invalid('', 'must be an object');
    const name = (value as Record<string, unknown>)[word];
    const member = typeof name === 'string' && Object.hasOwn(members, name) ? members[name] : null;
    const expected = Object.keys(members).join(', ');
    return member?.(value) ?? invalid(`/${word}`, `must be one of ${expected}`);
  };
}

const fromAgent = byWord('type', {
  hello: checker(Hello),
  get: checker(Get),
  report: checker(Report),
});
const fromServer = byWord('type', {
  welcome: checker(Welcome),
  available: checker(Available),
  document: checker(Document),
  ack: checker(Ack),
  resync: checker(Resync),
  busy: checker(Busy),
  refused: checker(Refused),
});
const [snapshot, changes, device, event] = ReportBody.anyOf;
const body = byWord('kind', {
  snapshot: checker(snapshot),
  changes: checker(changes),
  device: checker(device),
  event: checker(event),
});

export type Direction = 'from-agent' | 'from-server';

/** A frame into its message. `direction` says who sent it. */
export function parseMessage(direction: 'from-agent', text: string | Uint8Array): Parsed<FromAgent>;
export function parseMessage(
  direction: 'from-server',
  text: string | Uint8Array,
): Parsed<FromServer>;
export function parseMessage(direction: Direction, text: string | Uint8Array): Parsed<unknown> {
  const tree = parseJson(text, maxMessageBytes);
  if (tree.kind === 'invalid') return tree;
  return (direction === 'from-agent' ? fromAgent : fromServer)(tree.value);
}

/** The text of `Report.body` into what it says. */
export function parseBody(text: string): Parsed<ReportBody> {
  const tree = parseJson(text, maxFrameBytes);
  return tree.kind === 'invalid' ? tree : (body(tree.value) as Parsed<ReportBody>);
}

export const parseEnrollRequest = checker(EnrollRequest);
export const parseEnrollAnswer = checker(EnrollAnswer);

/** A text from a disk as the wire takes it: no NUL, whole characters, at most `maxLength` code units. */
export function fitText(text: string, maxLength: number): string {
  const clean = text.replaceAll('\0', '�').toWellFormed();
  if (clean.length <= maxLength) return clean;
  return `${clean.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
