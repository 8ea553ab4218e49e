/**
 * What a JetBrains plugin says of itself: the id and version of its `META-INF/plugin.xml`, found where
 * the IDE finds it (a jar of `lib`, a jar by itself, `classes`, the folder). No other text of the
 * descriptor is kept, no entity of its own is expanded, nothing it includes is followed.
 * Format: https://plugins.jetbrains.com/docs/intellij/plugin-configuration-file.html; the order of jars
 * is that of JetBrains/intellij-community, PluginDescriptorLoader.
 */
import { maxEntryBytes, readEntry } from './archive.js';
import type { ProblemCode, Reader, World } from './index.js';

export interface PluginRecord {
  /** null: the descriptor states none, and a plugin is never known by its display name. */
  readonly id: string | null;
  readonly version: string | null;
}

const descriptor = 'META-INF/plugin.xml';
/** More archives in one plugin than any has. */
const maxArchives = 2_000;
const maxFieldLength = 256;

/** The record of the plugin in a folder or jar; null when there is none, or none that can be read. */
export function readPlugin(path: string, world: World, reader: Reader): PluginRecord | null {
  if (isArchive(path) && reader.target(path)?.kind === 'file') {
    return firstRecord([path], reader);
  }
  const { join } = world.path;
  return (
    firstRecord(archivesOf(path, world, reader), reader) ??
    looseRecord(join(path, 'classes', 'META-INF', 'plugin.xml'), reader) ??
    looseRecord(join(path, 'META-INF', 'plugin.xml'), reader)
  );
}

export function isArchive(name: string): boolean {
  return /\.(jar|zip)$/i.test(name);
}

/** The archives of a plugin's `lib`, the likeliest first. */
function archivesOf(folder: string, { path }: World, reader: Reader): readonly string[] {
  const lib = path.join(folder, 'lib');
  const own = path.basename(folder).toLowerCase();
  const rank = (name: string): readonly number[] => [
    name.startsWith('resources') ? 1 : 0,
    /-(?:m?\d)/.test(name) ? 1 : 0,
    name.toLowerCase().startsWith(own) ? 0 : 1,
    name.length,
  ];
  const names = reader
    .list(lib)
    .filter(({ name, kind }) => isArchive(name) && (kind === 'file' || kind === 'link'))
    .map(({ name }) => ({ name, rank: rank(name) }))
    .sort((a, b) => a.rank.reduce((order, value, at) => order || value - (b.rank[at] ?? 0), 0));
  if (names.length > maxArchives) reader.note(lib, 'too-many');
  return names.slice(0, maxArchives).map(({ name }) => path.join(lib, name));
}

/** A broken archive is a loss only where no other holds the descriptor. */
function firstRecord(archives: readonly string[], reader: Reader): PluginRecord | null {
  const broken: { readonly file: string; readonly code: ProblemCode }[] = [];
  let found: PluginRecord | null = null;
  for (const file of archives) {
    const entry = readEntry(file, descriptor, reader);
    if (entry.kind === 'absent') continue;
    found = entry.kind === 'found' ? parsePluginXml(entry.bytes.toString('utf8')) : null;
    if (found !== null) break;
    broken.push({ file, code: entry.kind === 'failed' ? entry.code : 'malformed' });
  }
  for (const { file, code } of broken) reader.note(file, code, found === null);
  return found;
}

function looseRecord(file: string, reader: Reader): PluginRecord | null {
  const text = reader.text(file, maxEntryBytes);
  const record = text === null ? null : parsePluginXml(text);
  if (text !== null && record === null) reader.note(file, 'malformed');
  return record;
}

type Token =
  | { readonly kind: 'open' | 'close' | 'empty'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'broken' };

/** Id and version of a whole descriptor; null for one that is cut short or none at all. */
export function parsePluginXml(text: string): PluginRecord | null {
  const open: string[] = [];
  const fields = new Map<string, string>();
  let isComplete = false;
  for (const token of tokensOf(text)) {
    if (token.kind === 'broken') return null;
    const [root, field] = open;
    if (token.kind === 'open') open.push(token.name);
    else if (token.kind === 'close') {
      if (open.pop() !== token.name) return null;
      if (open.length === 0) isComplete = token.name === 'idea-plugin';
    } else if (token.kind === 'text' && open.length === 2 && root === 'idea-plugin') {
      if (field !== 'id' && field !== 'version') continue;
      const known = fields.get(field) ?? '';
      if (known.length <= maxFieldLength) fields.set(field, known + token.text);
    }
    if (isComplete) break;
  }
  if (!isComplete) return null;
  return { id: fieldOf(fields.get('id')), version: fieldOf(fields.get('version')) };
}

function fieldOf(text: string | undefined): string | null {
  const value = (text ?? '').trim();
  const isPlain = value !== '' && value.length <= maxFieldLength && !/\p{Cc}/u.test(value);
  return isPlain ? value : null;
}

/** The parts of an XML text, each character looked at once. */
function* tokensOf(text: string): Generator<Token> {
  for (let at = 0; at < text.length;) {
    const next = text.indexOf('<', at);
    const until = next === -1 ? text.length : next;
    if (until > at) yield { kind: 'text', text: decode(text.slice(at, until)) };
    if (next === -1) return;
    const [token, end] = markupAt(text, next);
    if (token !== null) yield token;
    at = end;
  }
}

const broken = (text: string): [Token, number] => [{ kind: 'broken' }, text.length];

/** One piece of markup and where it ends; null for what says nothing to us. */
function markupAt(text: string, at: number): [Token | null, number] {
  const skipTo = (mark: string, from: number): [Token | null, number] => {
    const end = text.indexOf(mark, from);
    return end === -1 ? broken(text) : [null, end + mark.length];
  };
  if (text.startsWith('<!--', at)) return skipTo('-->', at + 4);
  if (text.startsWith('<?', at)) return skipTo('?>', at + 2);
  if (text.startsWith('<![CDATA[', at)) {
    const end = text.indexOf(']]>', at);
    if (end === -1) return broken(text);
    return [{ kind: 'text', text: text.slice(at + 9, end) }, end + 3];
  }
  const end = tagEnd(text, at);
  if (end === -1) return broken(text);
  if (text.startsWith('<!', at)) {
    return text.slice(at, end).includes('[') ? skipTo(']>', at) : [null, end + 1];
  }
  const isClose = text[at + 1] === '/';
  const name = /^[^\s/>"'<=]+/.exec(text.slice(at + (isClose ? 2 : 1), at + 130))?.[0];
  if (name === undefined) return broken(text);
  const kind = isClose ? 'close' : text[end - 1] === '/' ? 'empty' : 'open';
  return [{ kind, name }, end + 1];
}

/** The `>` that ends a tag: not one inside quotes. */
function tagEnd(text: string, from: number): number {
  let quote = '';
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '>') return at;
  }
  return -1;
}

const entities: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
};

/** Only what every XML reader knows; others stay as they are written. */
function decode(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(x?)([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (whole, hex, digits, name) => {
    if (typeof name === 'string')
      return Object.hasOwn(entities, name) ? (entities[name] ?? whole) : whole;
    const code = parseInt(String(digits), hex === '' ? 10 : 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
