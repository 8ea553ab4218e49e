/**
 * The cases of `test/cases` as a test reads them: what to build, how to scan, what must hold. The
 * format is described in `test/cases/README.md`. Nothing here knows how a scan works.
 */
import fs from 'node:fs';
import path from 'node:path';
import { buildLayout, readLayout, type LayoutChange, type LayoutEntry } from '../worlds/layout.js';

/** What a field has to be: equal, `~` contains, `!` differs, null missing, a list any of them. */
export type Wanted = string | number | boolean | null | readonly Wanted[];

/** Fields of a component record and what they have to be; `count` is how many records fit. */
export type Expectation = Readonly<Record<string, Wanted>>;

/** How to build, how to scan and what must hold; a run says what differs from its case. */
export interface Run extends LayoutChange {
  readonly title?: string;
  readonly layout?: string;
  readonly entries?: readonly LayoutEntry[];
  readonly files?: Readonly<Record<string, string>>;
  readonly world?: 'linux' | 'darwin' | 'win32';
  readonly homes?: readonly string[];
  readonly policy?: readonly string[];
  readonly at?: string;
  readonly accounts?: string | readonly unknown[];
  readonly processes?: string | readonly unknown[];
  readonly state?: boolean;
  readonly deep?: boolean;
  readonly some?: readonly Expectation[];
  readonly none?: readonly Expectation[];
  readonly summary?: 'complete' | 'partial';
  readonly exit?: number;
  readonly says?: readonly string[];
  readonly never?: readonly string[];
}

export interface Case {
  readonly id: string;
  readonly folder: string;
  readonly runs: readonly Run[];
}

/** Every case that says what a scan has to answer. */
export function readCases(folder: string): Case[] {
  return fs
    .readdirSync(folder)
    .sort()
    .filter((id) => fs.existsSync(path.join(folder, id, 'expect.json')))
    .map((id) => {
      const text = fs.readFileSync(path.join(folder, id, 'expect.json'), 'utf8');
      const { runs, ...whole } = JSON.parse(text) as Run & { runs?: readonly Run[] };
      const each = (runs ?? [{}]).map((run) => ({ ...whole, ...run }));
      return { id, folder: path.join(folder, id), runs: each };
    });
}

/** Builds what a run needs below `root`. */
export function buildRun(root: string, { folder }: Case, run: Run): void {
  const layout = path.join(folder, run.layout ?? 'layout.json');
  if (run.layout !== undefined || fs.existsSync(layout)) {
    buildLayout(root, readLayout(layout), run);
  }
  buildLayout(root, run.entries ?? []);
  for (const [from, to] of Object.entries(run.files ?? {})) {
    fs.cpSync(path.join(folder, from), path.join(root, to), { recursive: true });
  }
}

/** A list that a flag takes as a file: from the case or written out in the run, `@/` filled in. */
export function listFor(root: string, { folder }: Case, list: string | readonly unknown[]): string {
  const text =
    typeof list === 'string'
      ? fs.readFileSync(path.join(folder, list), 'utf8')
      : JSON.stringify(list);
  return text.replaceAll('"@/', `"${root}/`);
}

export type ScanRecord = Readonly<Record<string, unknown>>;

function fieldOf(record: ScanRecord, name: string): unknown {
  if (name === 'text') return JSON.stringify(record);
  return name
    .split('.')
    .reduce<unknown>(
      (value, step) =>
        typeof value === 'object' && value !== null ? (value as ScanRecord)[step] : undefined,
      record,
    );
}

const plain = (value: unknown): string => String(value).replace(/\\+/g, '/');

function isWanted(value: unknown, wanted: Wanted): boolean {
  if (Array.isArray(wanted)) return wanted.some((each: Wanted) => isWanted(value, each));
  if (wanted === null) return value === null || value === undefined;
  if (typeof wanted !== 'string') return value === wanted;
  if (wanted.startsWith('~')) {
    const part = plain(wanted.slice(1)).toLowerCase();
    return value !== null && value !== undefined && plain(value).toLowerCase().includes(part);
  }
  if (wanted.startsWith('!')) return value !== wanted.slice(1);
  return value === wanted;
}

/** The records that fit an expectation. */
export function fitting(records: readonly ScanRecord[], expectation: Expectation): ScanRecord[] {
  const fields = Object.entries(expectation).filter(([name]) => name !== 'count');
  return records.filter((record) =>
    fields.every(([name, wanted]) => isWanted(fieldOf(record, name), wanted)),
  );
}

/** What a scan answered. */
export interface Answer {
  readonly exit: number | null;
  readonly output: string;
  readonly records: readonly ScanRecord[];
}

/** Everything in which an answer differs from what the run demands, in words; empty when it holds. */
export function shortcomings(answer: Answer, run: Run): string[] {
  const components = answer.records.filter(({ record }) => record === 'component');
  const wrong: string[] = [];
  for (const each of run.some ?? []) {
    const found = fitting(components, each).length;
    const isEnough = each['count'] === undefined ? found > 0 : found === each['count'];
    if (!isEnough) wrong.push(`${found} components fit ${JSON.stringify(each)}`);
  }
  for (const each of run.none ?? []) {
    for (const record of fitting(components, each)) {
      wrong.push(`fits ${JSON.stringify(each)}, which none should: ${JSON.stringify(record)}`);
    }
  }
  const summary = answer.records.find(({ record }) => record === 'summary');
  if (summary === undefined) wrong.push('there is no summary');
  else if (run.summary !== undefined && summary['status'] !== run.summary)
    wrong.push(`the summary says ${JSON.stringify(summary)}, not ${run.summary}`);
  if (run.exit !== undefined && answer.exit !== run.exit)
    wrong.push(`the exit code is ${String(answer.exit)}, not ${run.exit}`);
  for (const word of run.says ?? []) {
    if (!answer.output.includes(word)) wrong.push(`the output does not say ${word}`);
  }
  for (const word of run.never ?? []) {
    if (answer.output.includes(word)) wrong.push(`the output says ${word}`);
  }
  return wrong;
}
