/**
 * What the database keeps of each rule that has come to this device: the zone in which its dates are
 * read, and when the device was first told. What follows from that is decided in `terms.ts`.
 */
import type { Database } from 'better-sqlite3';

export interface RuleTerms {
  readonly rule: string;
  /** IANA zone of its `device-local` dates: the device's when the rule first arrived. */
  readonly zone: string;
  /** Epoch ms of the first judgement that somebody should have been told of; null: none yet. */
  readonly judgedAt: number | null;
  /** Epoch ms of the first notice; null: nobody was told yet. */
  readonly toldAt: number | null;
  /** Epoch ms of the return from an absence over the date, from which grace counts once more. */
  readonly returnedAt: number | null;
}

export interface TermsStore {
  /** By rule id, of one policy. */
  terms(policy: string): ReadonlyMap<string, RuleTerms>;
  putTerms(policy: string, terms: RuleTerms): void;
  /** The status under which the prompt of this finding and rule was last shown; null: never. */
  promptedAs(finding: string, rule: string): string | null;
  rememberPrompt(finding: string, rule: string, shown: { status: string; atMs: number }): void;
  /** The findings with a prompt that has been shown. */
  prompted(): readonly string[];
  /** Forgets the prompts of a finding that is no more: if it comes back, it is a new one. */
  forgetPrompts(finding: string): void;
  /** Forgets the prompts of a rule, whose date has moved for this device alone. */
  forgetPromptsOf(rule: string): void;
}

export function termsStore(db: Database): TermsStore {
  const all = db.prepare<[string], RuleTerms>(
    `SELECT rule, zone, judged_at AS judgedAt, told_at AS toldAt, returned_at AS returnedAt
     FROM rule_terms WHERE policy = ?`,
  );
  const put = db.prepare('INSERT OR REPLACE INTO rule_terms VALUES (?, ?, ?, ?, ?, ?)');
  const shownAs = db.prepare<[string, string], { status: string }>(
    'SELECT status FROM prompts WHERE finding = ? AND rule = ?',
  );
  const remember = db.prepare(
    'INSERT OR REPLACE INTO prompts (finding, rule, shown_at, status) VALUES (?, ?, ?, ?)',
  );
  const findings = db.prepare<[], { finding: string }>('SELECT DISTINCT finding FROM prompts');
  const forget = db.prepare('DELETE FROM prompts WHERE finding = ?');
  const forgetRule = db.prepare('DELETE FROM prompts WHERE rule = ?');
  return {
    terms: (policy) => new Map(all.all(policy).map((one) => [one.rule, one])),
    putTerms: (policy, { rule, zone, judgedAt, toldAt, returnedAt }) =>
      void put.run(policy, rule, zone, judgedAt, toldAt, returnedAt),
    promptedAs: (finding, rule) => shownAs.get(finding, rule)?.status ?? null,
    rememberPrompt: (finding, rule, { status, atMs }) =>
      void remember.run(finding, rule, Math.round(atMs), status),
    prompted: () => findings.all().map(({ finding }) => finding),
    forgetPrompts: (finding) => void forget.run(finding),
    forgetPromptsOf: (rule) => void forgetRule.run(rule),
  };
}
