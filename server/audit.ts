/**
 * The audit log: who did what, appended in the transaction of the deed. Each entry hashes the one
 * before, so none can be changed or taken out unnoticed; the database refuses both as well.
 */
import { sha256Hex, zeroHash } from '../wire/digest.js';
import type { AuditEntry } from './store/records.js';
import type { Reading, Writing } from './store/index.js';

export interface Deed {
  readonly at: number;
  /** A user, a device or `cli`. */
  readonly actor: string;
  /** `policy.publish`, `device.enrol` ... */
  readonly action: string;
  readonly subject: string | null;
  readonly detail: string | null;
}

const hashOf = ({ seq, at, actor, action, subject, detail, prev }: Omit<AuditEntry, 'hash'>) =>
  sha256Hex(JSON.stringify([seq, at, actor, action, subject, detail, prev]));

export async function record(writing: Writing, deed: Deed): Promise<void> {
  const last = await writing.people.lastAudit();
  const entry = { ...deed, seq: (last?.seq ?? 0) + 1, prev: last?.hash ?? zeroHash };
  await writing.people.addAudit({ ...entry, hash: hashOf(entry) });
}

export type AuditCheck =
  | { readonly kind: 'whole'; readonly entries: number }
  | { readonly kind: 'broken'; readonly seq: number };

/** Follows the chain from its start. The command `verify-audit` will say it; till then tests hold the chain by it. */
export async function verifyAudit(read: Reading): Promise<AuditCheck> {
  let prev = zeroHash;
  let seq = 0;
  for (;;) {
    const entries = await read.people.audit(seq, 500);
    if (entries.length === 0) return { kind: 'whole', entries: seq };
    for (const entry of entries) {
      const isNext = entry.seq === seq + 1 && entry.prev === prev && entry.hash === hashOf(entry);
      if (!isNext) return { kind: 'broken', seq: entry.seq };
      seq = entry.seq;
      prev = entry.hash;
    }
  }
}
