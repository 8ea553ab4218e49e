/**
 * The folder that compiled files are written to: each file by a rename, with a list of what was written
 * beside them. A file that is not on the list, or has been changed since, belongs to somebody else: it
 * is never overwritten and never removed, and then nothing is written at all.
 */
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import path from 'node:path';
import Type from 'typebox';
import Value from 'typebox/value';
import type { CompiledFile } from '../policies/compile/index.js';
import { CurfewError } from '../wire/errors.js';

/** What was written: names with forward slashes to the SHA-256 of their bytes. */
export const listName = 'curfew-compiled.json';
const maxListBytes = 1024 * 1024;

const Written = Type.Object({
  format: Type.Literal(1),
  files: Type.Record(
    Type.String({ pattern: '^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$' }),
    Type.String({ pattern: '^[0-9a-f]{64}$' }),
  ),
});

export type FileStatus = 'written' | 'unchanged' | 'removed';

export const sha256Of = (bytes: string | Buffer): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Errors: FOLDER_NOT_WRITABLE for a link or a file where a folder or a plain file should be. */
function lookAt(place: string): Stats | null {
  const found = lstatSync(place, { throwIfNoEntry: false });
  return found ?? null;
}

function readList(folder: string): Readonly<Record<string, string>> {
  const file = path.join(folder, listName);
  const found = lookAt(file);
  if (found === null) return {};
  let value: unknown = null;
  if (found.isFile() && found.size <= maxListBytes) {
    try {
      value = JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  if (Value.Check(Written, value) && !Object.keys(value.files).some(isUpward)) return value.files;
  throw new CurfewError('USAGE', `${file} is not a list that policy compile wrote`, {
    hint: 'Give another folder with --out, or remove what is in this one.',
  });
}

const isUpward = (name: string): boolean => name.split('/').some((step) => step === '..');

/** The hash of what lies there; null for nothing. Errors: USAGE for what is no plain file in plain folders. */
function hashAt(folder: string, name: string): string | null {
  const steps = name.split('/');
  for (let upTo = 1; upTo <= steps.length; upTo += 1) {
    const place = path.join(folder, ...steps.slice(0, upTo));
    const found = lookAt(place);
    if (found === null) return null;
    const isRight = upTo === steps.length ? found.isFile() : found.isDirectory();
    if (!isRight) {
      throw new CurfewError(
        'USAGE',
        `${place} is in the way: a link, or not what is written there`,
        {
          hint: 'Give another folder with --out, or move it away.',
        },
      );
    }
  }
  return sha256Of(readFileSync(path.join(folder, name)));
}

interface Change {
  readonly name: string;
  readonly text: string | null;
  readonly status: FileStatus;
}

/** What has to be done; throws before anything is when a file belongs to somebody else. */
function planChanges(
  folder: string,
  files: readonly CompiledFile[],
  tops: ReadonlySet<string>,
): { readonly changes: readonly Change[]; readonly list: Readonly<Record<string, string>> } {
  const before = readList(folder);
  const changes: Change[] = files.map(({ name, text }) => {
    const there = hashAt(folder, name);
    if (there === sha256Of(text)) return { name, text, status: 'unchanged' };
    if (there === null || there === before[name]) return { name, text, status: 'written' };
    throw new CurfewError(
      'USAGE',
      `${path.join(folder, name)} was not written here, or changed since`,
      {
        hint: 'Give another folder with --out, or move the file away.',
      },
    );
  });
  const names = new Set(files.map(({ name }) => name));
  const gone = Object.keys(before).filter(
    (name) => !names.has(name) && tops.has(name.split('/')[0] ?? ''),
  );
  for (const name of gone) {
    // Changed by somebody: theirs from now on.
    if (hashAt(folder, name) === before[name])
      changes.push({ name, text: null, status: 'removed' });
  }
  const kept = Object.entries(before).filter(([name]) => !gone.includes(name) && !names.has(name));
  const made = files.map(({ name, text }): [string, string] => [name, sha256Of(text)]);
  const list = Object.fromEntries(
    [...kept, ...made].sort(([one], [other]) => (one < other ? -1 : 1)),
  );
  return { changes, list };
}

function writeByRename(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const aside = `${file}.${process.pid}.new`;
  rmSync(aside, { force: true });
  writeFileSync(aside, text, { flag: 'wx', flush: true });
  renameSync(aside, file);
}

/**
 * Brings the folder to hold `files`. `tops` are the first steps of names that this run speaks for: of
 * those, what an earlier run wrote and this one did not make is removed. Errors: USAGE,
 * FOLDER_NOT_WRITABLE.
 */
export function writeCompiled(
  folder: string,
  files: readonly CompiledFile[],
  options: { readonly tops: ReadonlySet<string>; readonly isDryRun: boolean },
): ReadonlyMap<string, FileStatus> {
  try {
    const { changes, list } = planChanges(folder, files, options.tops);
    const statuses = new Map(changes.map(({ name, status }) => [name, status]));
    if (options.isDryRun) return statuses;
    for (const { name, text, status } of changes) {
      const file = path.join(folder, name);
      if (status === 'removed') rmSync(file);
      else if (status === 'written' && text !== null) writeByRename(file, text);
    }
    const text = `${JSON.stringify({ format: 1, files: list }, null, 2)}\n`;
    writeByRename(path.join(folder, listName), text);
    return statuses;
  } catch (error) {
    if (error instanceof CurfewError) throw error;
    throw new CurfewError('FOLDER_NOT_WRITABLE', `${folder} cannot be written`, {
      hint: 'Give a folder that this account may write to with --out.',
      cause: error,
    });
  }
}
