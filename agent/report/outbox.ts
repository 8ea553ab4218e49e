/**
 * What must reach the server. Appending gives a report its place in its stream's hash chain and puts
 * it on disk before anyone is offered it; only the server's acknowledgement takes it out again. It
 * sends nothing itself: the link asks for what is pending. Invariant: per stream, sequence numbers
 * count from 1 without a hole, and each report carries the hash of the one before.
 */
import type { Static } from 'typebox';
import type { Report, ReportBody, Resync, Subject } from '../../wire/messages.js';
import type { ReportStore, StreamRow } from '../store-reports.js';

/** Reports of one stream that may wait; beyond it the older half makes way for a `skipped` marker. */
const maxPendingPerStream = 4000;

export type ResyncReason = Static<typeof Resync>['reason'];

export interface Outbox {
  /** Durable when it returns. `also` runs in the same transaction. */
  append(subject: Subject, body: ReportBody, also?: () => void): Report;
  /**
   * Reports that wait, by stream and in order, above the sequence given for their stream (what the
   * link has sent on this connection); at most `limit`.
   */
  pending(afterSeqByStream: ReadonlyMap<string, number>, limit: number): readonly Report[];
  /** The server has the stream on disk up to and including `seq`. */
  acknowledged(stream: string, seq: number): void;
  /** The server will never take this report: it is set aside and counted. */
  refused(stream: string, seq: number, code: string): void;
  streams(): readonly StreamRow[];
  /** Called after a report is on disk. Returns the way to stop listening. */
  onAppend(listener: (report: Report) => void): () => void;
  /** The server asks for a snapshot of this stream. */
  resync(stream: string, reason: ResyncReason): void;
  onResync(listener: (subject: Subject, reason: ResyncReason) => void): () => void;
  /** Called after an acknowledgement or a refusal has changed what is pending. */
  onSettled(listener: () => void): () => void;
  counts(): { readonly pending: number; readonly acknowledged: number; readonly setAside: number };
}

export interface OutboxOptions {
  readonly store: ReportStore;
  /** Epoch ms of trusted time. */
  readonly now: () => number;
  readonly maxPending?: number;
}

/** Opens the outbox of a store. */
export function openOutbox({
  store,
  now,
  maxPending = maxPendingPerStream,
}: OutboxOptions): Outbox {
  const appended = new Set<(report: Report) => void>();
  const asked = new Set<(subject: Subject, reason: ResyncReason) => void>();
  const settled = new Set<() => void>();
  const listen = <T>(listeners: Set<T>, listener: T): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const append = (subject: Subject, body: ReportBody, also?: () => void): Report => {
    const report = store.appendReport(subject, JSON.stringify(body), now(), also);
    for (const listener of appended) listener(report);
    return report;
  };
  /** Keeps the bound: what is dropped leaves a marker, and a snapshot makes the server whole again. */
  const keepBound = (subject: Subject, stream: string): void => {
    if (store.pendingCount(stream) <= maxPending) return;
    const count = store.dropOldest(stream, Math.ceil(maxPending / 2));
    const at = new Date(now()).toISOString();
    append(subject, {
      kind: 'event',
      at,
      event: 'skipped',
      tool: null,
      rule: null,
      detail: String(count),
    });
    for (const listener of asked) listener(subject, 'gap');
  };
  return {
    append(subject, body, also) {
      const report = append(subject, body, also);
      keepBound(subject, report.stream);
      return report;
    },
    pending: (afterSeqByStream, limit) => store.pendingReports(afterSeqByStream, limit),
    acknowledged(stream, seq) {
      store.acknowledge(stream, seq, now());
      for (const listener of settled) listener();
    },
    refused(stream, seq, code) {
      store.setAside(stream, seq, code);
      for (const listener of settled) listener();
    },
    streams: () => store.streams(),
    onAppend: (listener) => listen(appended, listener),
    resync(stream, reason) {
      const known = store.streams().find((row) => row.stream === stream);
      if (known !== undefined) for (const listener of asked) listener(known.subject, reason);
    },
    onResync: (listener) => listen(asked, listener),
    onSettled: (listener) => listen(settled, listener),
    counts: () => store.reportCounts(),
  };
}
