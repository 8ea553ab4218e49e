/**
 * A YAML text as a value with the place of every field, bounded before it is parsed: bytes, tokens,
 * nesting, aliases. It knows nothing of policies. The text is untrusted, so what could exhaust the
 * parser is counted by its lexer, which needs no stack, and refused first.
 */
import { Lexer, LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import { wordsFor } from './source-words.js';

export const maxSourceBytes = 256 * 1024;
const tooLong = `longer than ${maxSourceBytes / 1024} KiB; split it into several policies`;
const maxTokens = 100_000;
const maxNesting = 32;
const maxIndent = 128;
/** How many values aliases may come to for each that is written. */
const maxAliases = 50;
/** Aliases, anchors and tags: to find what each is, the parser walks through what was written before. */
const maxMarks = 500;

export type Step = string | number;

/** Lines and columns count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface SourceProblem extends Place {
  readonly message: string;
}

export interface Source {
  readonly value: unknown;
  /** Where the value of a field stands; for a field that is missing, its nearest parent. */
  placeOf(path: readonly Step[]): Place;
  /** Where the name of a field stands. */
  placeOfKey(path: readonly Step[]): Place;
  /**
   * Where signs stand within a text value that are at `offset` in it, whatever its style; the text's own
   * place where they are written otherwise there, as an escape.
   */
  placeWithin(path: readonly Step[], found: string, offset: number): Place;
}

export type ReadSource =
  | { readonly kind: 'source'; readonly source: Source }
  | { readonly kind: 'invalid'; readonly problems: readonly SourceProblem[] };

const invalid = (message: string, place: Place = { line: 1, column: 1 }): ReadSource => ({
  kind: 'invalid',
  problems: [{ ...place, message }],
});

/** A field's path as messages and programs write it: `rules[1].effective`. */
export const fieldName = (path: readonly Step[]): string =>
  path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');

export type DecodedSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'invalid'; readonly problems: readonly SourceProblem[] };

/** The text of a file's bytes, which are UTF-8 or are refused with the place of the first that is not. */
export function decodeSource(bytes: Uint8Array): DecodedSource {
  const refused = (message: string, place: Place = { line: 1, column: 1 }): DecodedSource => ({
    kind: 'invalid',
    problems: [{ ...place, message }],
  });
  if (bytes.length > maxSourceBytes + 3) return refused(tooLong);
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return refused('the text is UTF-16; save the file as UTF-8');
  }
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    // The longest start that can still become UTF-8: what follows it cannot.
    let [good, bad] = [0, bytes.length];
    while (bad - good > 1) {
      const middle = (good + bad) >> 1;
      if (isStart(bytes.subarray(0, middle))) good = middle;
      else bad = middle;
    }
    const lines = new TextDecoder()
      .decode(bytes.subarray(0, good), { stream: true })
      .split(/\r\n|\r|\n/);
    const place = { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
    return refused('bytes that are no UTF-8 text; save the file as UTF-8', place);
  }
}

function isStart(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Reads one YAML 1.2 document of plain values: no tags, no dates, no merge keys. */
export function readSource(given: string): ReadSource {
  const text = given.startsWith('\ufeff') ? given.slice(1) : given;
  if (Buffer.byteLength(text) > maxSourceBytes) {
    return invalid(tooLong);
  }
  const excess = findExcess(text);
  if (excess !== null) return invalid(excess);
  const odd = oddSign.exec(text);
  if (odd !== null) {
    const before = text.slice(0, odd.index).split(/\r\n|\r|\n/);
    const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    return invalid(`${codeOf(odd[0])}, which no text holds; remove it`, place);
  }
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  // Own check of doubled keys: the parser's compares each with each.
  const document = parseDocument(text, {
    schema: 'core',
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  // Of the parser's errors all but the first are mostly consequences.
  const [first] = [...document.errors, ...document.warnings];
  if (first !== undefined) {
    return invalid(`not YAML: ${wordsFor(first.message)}`, placeAt(first.pos[0]));
  }
  const wrong = findWrongKey(document) ?? findWrongValue(document);
  if (wrong !== null) return invalid(wrong.message, placeAt(wrong.offset));
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    if (error instanceof ReferenceError) {
      return invalid(`aliases: ${wordsFor(error.message)}`, placeAt(firstAlias(document)));
    }
    throw error;
  }
  return {
    kind: 'source',
    source: {
      value,
      placeOf: (path) => placeAt(find(document, path).offset),
      placeOfKey: (path) => placeAt(find(document, path).keyOffset),
      placeWithin: (path, found, offset) => {
        const { node, offset: start } = find(document, path);
        return placeAt(start + offsetWithin(text, node, { found, offset }));
      },
    },
  };
}

/** Control characters and halves of characters: YAML has neither (https://yaml.org/spec/1.2.2/#51-character-set). */
const oddSign = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]|\p{Surrogate}/u;

const codeOf = (sign: string): string =>
  `the character U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** What would cost the parser too much, found by counting tokens. */
function findExcess(text: string): string | null {
  let [tokens, marks, flow, inLine, inEntry, isText] = [0, 0, 0, 0, 0, false];
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    // The lexer puts a mark before a text, which may begin like anything.
    if (!isText && /^[*&!]/.test(token)) marks += 1;
    isText = token === '\u001f';
    if (marks > maxMarks) return 'more aliases, anchors and tags than a policy can need';
    if (tokens > maxTokens) return 'more than a policy can need: too many entries';
    if (token === '[' || token === '{') flow += 1;
    else if (token === ']' || token === '}') flow = Math.max(0, flow - 1);
    else if (token === '-' || token === '?' || token === ':') {
      // Between brackets one line may hold many entries beside one another, as JSON does.
      if (flow === 0) inLine += 1;
      else inEntry += 1;
    } else if (token === ',') inEntry = 0;
    else if (token.includes('\n')) [inLine, inEntry] = [0, 0];
    if (/^[ \t]/.test(token) && token.trim() === '' && token.length > maxIndent) {
      return 'nested too deeply: more than 128 spaces before an entry';
    }
    if (flow > maxNesting || Math.max(inLine, inEntry) > maxNesting * 2) return 'nested too deeply';
  }
  return null;
}

/** A name that is written twice in one mapping, or is no plain text. */
function findWrongKey(document: Document): { message: string; offset: number } | null {
  let found: { message: string; offset: number } | null = null;
  visit(document, {
    Map(_key, map) {
      const names = new Set<string>();
      for (const pair of map.items) {
        const name = nameOf(pair);
        const isName = isScalar(pair.key) && pair.key.value !== null && name !== '<<';
        if (isName && !names.has(name)) {
          names.add(name);
          continue;
        }
        const message = !isScalar(pair.key)
          ? 'expected the name of a field; found a list, a mapping or an alias'
          : pair.key.value === null
            ? 'expected the name of a field; found nothing'
            : name === '<<'
              ? 'a merge key; write the fields out, or give a whole value an anchor'
              : `${name} is written twice here`;
        found = { message, offset: offsetOf(pair.key) ?? 0 };
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return found;
}

/** A text in which an escape has written a sign that no text holds. */
function findWrongValue(document: Document): { message: string; offset: number } | null {
  let found: { message: string; offset: number } | null = null;
  visit(document, {
    Scalar(_key, scalar) {
      const sign = typeof scalar.value === 'string' ? oddSign.exec(scalar.value)?.[0] : undefined;
      if (sign === undefined) return undefined;
      const message = `${codeOf(sign)} as an escape, which no text holds; remove it`;
      found = { message, offset: offsetOf(scalar) ?? 0 };
      return visit.BREAK;
    },
  });
  return found;
}

/** Where the first alias stands that names nothing before it, or else the first of all. */
function firstAlias(document: Document): number {
  let [first, unresolved] = [-1, -1];
  visit(document, {
    Alias(_key, alias) {
      const offset = offsetOf(alias) ?? 0;
      if (first < 0) first = offset;
      if (unresolved >= 0 || alias.resolve(document) !== undefined) return undefined;
      unresolved = offset;
      return visit.BREAK;
    },
  });
  return Math.max(unresolved >= 0 ? unresolved : first, 0);
}

const nameOf = (pair: Pair): string => String(isScalar(pair.key) ? pair.key.value : '');
const offsetOf = (node: unknown): number | undefined =>
  typeof node === 'object' && node !== null ? ((node as Node).range?.[0] ?? undefined) : undefined;

/** A block text is folded and indented, so its signs are counted: the third here is the third there. */
function offsetWithin(
  text: string,
  node: unknown,
  { found, offset }: { readonly found: string; readonly offset: number },
): number {
  if (!isScalar(node) || typeof node.value !== 'string' || found === '') return 0;
  const [start, end] = node.range ?? [0, 0];
  const written = text.slice(start, end);
  let at = -1;
  for (let before = -1; before < offset;) {
    const next = node.value.indexOf(found, before + 1);
    if (next < 0 || next > offset) break;
    at = written.indexOf(found, at + 1);
    if (at < 0) return 0;
    before = next;
  }
  return Math.max(at, 0);
}

interface Found {
  readonly node: unknown;
  readonly offset: number;
  readonly keyOffset: number;
}

/** Follows a path as far as it leads. */
function find(document: Document, path: readonly Step[]): Found {
  let node: unknown = document.contents;
  let offset = offsetOf(node) ?? 0;
  let keyOffset = offset;
  for (const step of path) {
    const at = isAlias(node) ? node.resolve(document) : node;
    const pair = isMap(at) ? at.items.find((one) => nameOf(one) === String(step)) : undefined;
    const next = isSeq(at) && typeof step === 'number' ? at.items[step] : pair?.value;
    if (pair === undefined && next === undefined) break;
    keyOffset = offsetOf(pair?.key) ?? offsetOf(next) ?? keyOffset;
    offset = offsetOf(next) ?? keyOffset;
    node = next;
  }
  return { node, offset, keyOffset };
}
