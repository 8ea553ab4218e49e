/**
 * Builds a tree from a list of entries (the `layout.json` of a case) below a temporary folder, and
 * takes its fingerprint, so that a test can show that looking at it changed nothing. It never writes
 * outside the folder it is given.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { link, place } from './native.js';

/** One thing to create. `mode` is octal text; a `target` with `@/` begins at the temporary folder. */
export interface LayoutEntry {
  readonly type: 'dir' | 'file' | 'symlink';
  readonly path: string;
  readonly content?: string;
  readonly mode?: string;
  readonly target?: string;
  /** Numeric uid; such an entry needs root and is left out without it. */
  readonly owner?: number;
}

/** How a layout is changed on its way: parts put elsewhere, parts left out, by leading path. */
export interface LayoutChange {
  readonly moves?: Readonly<Record<string, string>>;
  readonly leave?: readonly string[];
}

const isBelow = (file: string, folder: string): boolean =>
  file === folder || file.startsWith(`${folder}/`);

/** The entries of a layout file, checked so far that a slip in a case is not built as something else. */
export function readLayout(file: string): LayoutEntry[] {
  const value = JSON.parse(fs.readFileSync(file, 'utf8')) as { entries?: unknown };
  if (!Array.isArray(value.entries)) throw new Error(`${file}: has no list of entries`);
  return value.entries.map((entry: LayoutEntry, index) => {
    const isKnown = ['dir', 'file', 'symlink'].includes(entry.type);
    const escapes = typeof entry.path !== 'string' || path.normalize(entry.path).startsWith('..');
    if (!isKnown || escapes || path.isAbsolute(entry.path))
      throw new Error(`${file}: entries[${index}] is not an entry below the folder`);
    return entry;
  });
}

/** Creates the entries below `root`, in order. */
export function buildLayout(
  root: string,
  entries: readonly LayoutEntry[],
  { moves = {}, leave = [] }: LayoutChange = {},
): void {
  const moved = (file: string): string => {
    const from = Object.keys(moves).find((part) => isBelow(file, part));
    return from === undefined ? file : path.posix.join(moves[from] ?? '', file.slice(from.length));
  };
  const isRoot = process.getuid?.() === 0;
  for (const entry of entries) {
    if (leave.some((part) => isBelow(entry.path, part))) continue;
    if (entry.owner !== undefined && !isRoot) continue;
    const at = moved(entry.path);
    build(root, { ...entry, path: at }, (target) =>
      target.startsWith('@/') ? path.join(root, moved(target.slice(2))) : target,
    );
    if (entry.owner !== undefined) fs.lchownSync(path.join(root, at), entry.owner, entry.owner);
  }
}

function build(root: string, entry: LayoutEntry, resolve: (target: string) => string): void {
  switch (entry.type) {
    case 'dir':
      fs.mkdirSync(path.join(root, entry.path), { recursive: true });
      if (entry.mode !== undefined) {
        fs.chmodSync(path.join(root, entry.path), parseInt(entry.mode, 8));
      }
      break;
    case 'file':
      place(root, entry.path, entry.content ?? '', parseInt(entry.mode ?? '0644', 8));
      break;
    case 'symlink':
      link(root, entry.path, resolve(entry.target ?? ''));
  }
}

/** Every entry below `root` with what would show a change: kind, mode, time of writing, content. */
export function fingerprint(root: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    const at = path.join(root, name);
    const facts = fs.lstatSync(at);
    const content = facts.isSymbolicLink()
      ? fs.readlinkSync(at)
      : facts.isFile()
        ? createHash('sha256').update(fs.readFileSync(at)).digest('hex')
        : '';
    found.set(name, `${facts.mode.toString(8)} ${facts.mtimeMs} ${facts.size} ${content}`);
  }
  return found;
}
