/**
 * What becomes of a report: each stream is a hash chain, applied once and in order, inside the
 * transaction that the acknowledgement waits for. A gap, a new stream or another hash under a known
 * seq is answered with `resync`; the snapshot that follows may continue at any seq and becomes the new
 * base. A stream carries only what belongs to its subject.
 */
import type { ErrorCode } from '../wire/errors.js';
import { reportHash, zeroHash } from '../wire/digest.js';
import type { Report, ReportBody, ReportedComponent, Subject } from '../wire/messages.js';
import { parseBody } from '../wire/parse.js';
import { applyChanges, applySnapshot, type Applied } from './inventory.js';
import type { Writing } from './store/index.js';
import type { Stream, SubjectKey } from './store/records.js';

/** A report whose own words hold: hash right, body parsed. Who sent it is the connection's device. */
export interface Arrived {
  readonly device: string;
  readonly report: Report;
  readonly body: ReportBody;
  readonly receivedAt: number;
}

export interface RefusedReport {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  readonly message: string;
  readonly stream: string;
  readonly seq: number;
}
export type Outcome =
  | { readonly kind: 'ack'; readonly stream: string; readonly seq: number }
  | {
      readonly kind: 'resync';
      readonly stream: string;
      readonly reason: 'gap' | 'new-stream' | 'hash-differs';
    }
  | RefusedReport;

const maxStreamsPerDevice = 4096;
const maxParts = 200;

const refused = (report: Report, message: string, code: ErrorCode = 'REPORT_INVALID') =>
  ({ kind: 'refused', code, message, stream: report.stream, seq: report.seq }) as const;

function subjectKey(subject: Subject): SubjectKey {
  return subject.kind === 'machine' ? 'machine' : `person:${subject.account}`;
}

/** A report from the wire, checked for all that needs no store. */
export function arrive(
  device: string,
  report: Report,
  receivedAt: number,
): { readonly kind: 'arrived'; readonly arrived: Arrived } | RefusedReport {
  const hash = reportHash(report.stream, report.seq, report.prev, report.body);
  if (hash !== report.sha256) return refused(report, 'sha256 is not that of the report');
  const parsed = parseBody(report.body);
  if (parsed.kind === 'invalid') {
    return refused(report, `body${parsed.path}: ${parsed.message}`.slice(0, 512));
  }
  const body = parsed.value;
  const foreign = foreignComponent(body, report.subject);
  if (foreign !== undefined) {
    return refused(report, `component ${foreign.id} does not belong to the stream's subject`);
  }
  if (body.kind === 'snapshot' && (body.part > body.parts || body.parts > maxParts)) {
    return refused(report, `part ${body.part} of ${body.parts}; at most ${maxParts} are taken`);
  }
  return { kind: 'arrived', arrived: { device, report, body, receivedAt } };
}

/** A person's stream carries that person's components, the machine's what has no owner. */
function foreignComponent(body: ReportBody, subject: Subject): ReportedComponent | undefined {
  const owner = subject.kind === 'machine' ? null : subject.account;
  const carried =
    body.kind === 'snapshot' ? body.components : body.kind === 'changes' ? body.present : [];
  return carried.find((component) => component.owner !== owner);
}

/** Applies one report or says why not. Nothing is durable until the caller's transaction commits. */
export async function ingest(writing: Writing, arrived: Arrived): Promise<Outcome> {
  const { device, report, body } = arrived;
  const owner = await writing.devices.get(device);
  if (owner === null || owner.revokedAt !== null) {
    return refused(report, `device ${device} was revoked`, 'DEVICE_REVOKED');
  }
  const known = await writing.reports.stream(device, report.stream);
  const stream = known ?? newStream(arrived);
  if (known === null && (await isFull(writing, device))) {
    return refused(report, `a device has at most ${maxStreamsPerDevice} streams`);
  }
  if (stream.subject !== subjectKey(report.subject)) {
    return refused(report, `stream ${report.stream} belongs to another subject`);
  }
  const opensSnapshot = body.kind === 'snapshot' && body.part === 1;
  const isNewBase = stream.isAwaitingSnapshot && opensSnapshot;
  if (report.seq <= stream.seq) {
    const applied = await appliedHash(writing, stream, report.seq);
    if (applied === report.sha256) return { kind: 'ack', stream: report.stream, seq: stream.seq };
    if (!isNewBase) return askSnapshot(writing, stream, 'hash-differs');
  }
  const isNext = report.seq === stream.seq + 1 && report.prev === stream.hash;
  if (!isNext && !isNewBase) {
    const isGap = report.seq !== stream.seq + 1;
    return askSnapshot(
      writing,
      stream,
      !isGap ? 'hash-differs' : known === null ? 'new-stream' : 'gap',
    );
  }
  const fault = orderFault(stream, body);
  if (fault !== null) return askSnapshot(writing, stream, fault);
  await apply(writing, stream, arrived);
  return { kind: 'ack', stream: report.stream, seq: report.seq };
}

/** What a body needs of the stream before it: changes need a base, a later part the one before. */
function orderFault(stream: Stream, body: ReportBody): 'gap' | 'new-stream' | null {
  if (body.kind === 'changes') {
    if (stream.isSuperseded || !stream.hasBase) return 'new-stream';
    return stream.part > 0 ? 'gap' : null;
  }
  return body.kind === 'snapshot' && body.part > 1 && stream.part !== body.part - 1 ? 'gap' : null;
}

function newStream({ device, report }: Arrived): Stream {
  return {
    device,
    stream: report.stream,
    subject: subjectKey(report.subject),
    seq: 0,
    hash: zeroHash,
    hasBase: false,
    isAwaitingSnapshot: false,
    part: 0,
    isSuperseded: false,
  };
}

async function isFull(writing: Writing, device: string): Promise<boolean> {
  return (await writing.reports.streams(device)).length >= maxStreamsPerDevice;
}

async function appliedHash(writing: Writing, stream: Stream, seq: number): Promise<string | null> {
  if (seq === stream.seq) return stream.hash;
  return (await writing.reports.raw(stream.device, stream.stream, seq))?.sha256 ?? null;
}

async function askSnapshot(
  writing: Writing,
  stream: Stream,
  reason: 'gap' | 'new-stream' | 'hash-differs',
): Promise<Outcome> {
  if (!stream.isAwaitingSnapshot) {
    await writing.reports.putStream({ ...stream, isAwaitingSnapshot: true, part: 0 });
  }
  return { kind: 'resync', stream: stream.stream, reason };
}

/** What an agent says of a bundle in a format that it does not know. */
const formatUnknown = 'bundle-refused bundle BUNDLE_FORMAT_UNKNOWN';

async function apply(writing: Writing, stream: Stream, arrived: Arrived): Promise<void> {
  const { device, report, body, receivedAt } = arrived;
  const { seq, sha256 } = report;
  await writing.reports.putRaw({
    device,
    stream: report.stream,
    seq,
    sha256,
    body: report.body,
    receivedAt,
  });
  const advanced: Stream = { ...stream, seq, hash: sha256, part: 0 };
  const at = Date.parse(body.at);
  const subject = { device, subject: stream.subject, at, receivedAt };
  switch (body.kind) {
    case 'snapshot':
      await applyPart(writing, advanced, { ...arrived, body });
      return;
    case 'changes': {
      const applied = await applyChanges(writing, subject, body);
      await finish(writing, advanced, applied);
      return;
    }
    case 'device':
      await writing.devices.setFacts(device, body.facts);
      await finish(writing, advanced, { device, history: [] });
      return;
    case 'event': {
      const detail = body.detail === null ? body.event : `${body.event} ${body.detail}`;
      if (detail === formatUnknown) {
        const sequence = await writing.policies.latestSequence();
        await writing.devices.setRefusedFormat(device, sequence);
      }
      const entry = { at, kind: 'event', tool: body.tool, component: null } as const;
      await finish(writing, advanced, {
        device,
        history: [{ ...entry, from: null, to: null, detail }],
      });
    }
  }
}

/** A part is kept as its raw report; the last one applies all of them. */
async function applyPart(
  writing: Writing,
  advanced: Stream,
  arrived: Arrived & { readonly body: Extract<ReportBody, { kind: 'snapshot' }> },
): Promise<void> {
  const { device, body, receivedAt } = arrived;
  const opened: Stream = { ...advanced, isAwaitingSnapshot: false };
  if (body.part < body.parts) {
    await writing.reports.putStream({ ...opened, part: body.part });
    return;
  }
  const before: ReportedComponent[] = [];
  for (let seq = opened.seq - body.parts + 1; seq < opened.seq; seq += 1) {
    const raw = await writing.reports.raw(device, opened.stream, seq);
    const parsed = raw === null ? null : parseBody(raw.body);
    if (parsed?.kind === 'value' && parsed.value.kind === 'snapshot') {
      before.push(...parsed.value.components);
    }
  }
  const subject = { device, subject: opened.subject, at: Date.parse(body.at), receivedAt };
  const components = [...before, ...body.components];
  const applied = await applySnapshot(writing, subject, { ...body, components });
  for (const other of await writing.reports.streams(device)) {
    const isReplaced = other.subject === opened.subject && other.stream !== opened.stream;
    if (isReplaced && !other.isSuperseded) {
      await writing.reports.putStream({ ...other, isSuperseded: true });
    }
  }
  await finish(writing, { ...opened, hasBase: true, isSuperseded: false }, applied);
}

async function finish(writing: Writing, stream: Stream, applied: Applied): Promise<void> {
  await writing.reports.putStream(stream);
  await writing.reports.addHistory(applied.device, applied.history);
}
