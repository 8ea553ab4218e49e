/**
 * The part of Markdown that a policy's texts may use: paragraphs, flat lists, code, bold, italic and
 * links. This is its one reader; prompts, the migration page and the console show the tree it gives. All
 * that is not in the subset (HTML, images, headings, a link to a script) stays literal text in the tree
 * and is named as a fault with its place, so nothing that is shown can ever be more than the subset.
 */
import { readInlines, type Inline } from './markdown-inline.js';

export type { Inline } from './markdown-inline.js';

export type Block =
  | { readonly kind: 'paragraph'; readonly children: readonly Inline[] }
  | {
      readonly kind: 'list';
      readonly isOrdered: boolean;
      readonly items: readonly (readonly Inline[])[];
    }
  | { readonly kind: 'code'; readonly text: string };

/** One thing that is not in the subset. */
export interface MarkdownFault {
  /** Where in the text it begins, in UTF-16 units from 0. */
  readonly offset: number;
  /** The signs themselves, at most some dozen of them, without a line's end. */
  readonly found: string;
  readonly message: string;
}

export interface Markdown {
  readonly blocks: readonly Block[];
  readonly faults: readonly MarkdownFault[];
}

interface Line {
  readonly text: string;
  readonly offset: number;
}

const longestText = 16_384;

/** Block forms of Markdown that the subset does not have. */
const otherBlocks: readonly (readonly [RegExp, string])[] = [
  [/^ {0,3}#{1,6}(?=\s|$)/, 'a heading: write a paragraph, bold where it must stand out'],
  [/^ {0,3}>/, 'a quotation: write a paragraph'],
  [
    /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|=+[ \t]*)$/,
    'a rule across the page, or the line under a heading: leave it out',
  ],
  [
    /^ {0,3}\[[^\]]*\]:/,
    'an address for links elsewhere: write [text](https://...) where it is used',
  ],
  [/^ {0,3}\|/, 'a table: write a list'],
];
const item = /^( {0,3})(?:[-*+]|(\d{1,9})[.)])(?:[ \t]+|$)/;
const fence = /^ {0,3}(`{3,}|~{3,})[ \t]*[^`\s]*[ \t]*$/;

/** Reads a text; never fails, takes time in proportion to its length. */
export function readMarkdown(source: string): Markdown {
  const faults: MarkdownFault[] = [];
  const blocks: Block[] = [];
  if (source.length > longestText) {
    const message = `longer than ${longestText} characters; what follows is not read as Markdown`;
    faults.push({ offset: longestText, found: '', message });
  }
  const lines = linesOf(source.slice(0, longestText));
  for (let at = 0; at < lines.length;) at = readBlock(lines, at, { blocks, faults });
  if (source.length > longestText) {
    const rest = { kind: 'text' as const, text: source.slice(longestText) };
    blocks.push({ kind: 'paragraph', children: [rest] });
  }
  return { blocks, faults: faults.sort((left, right) => left.offset - right.offset) };
}

function linesOf(text: string): readonly Line[] {
  const lines: Line[] = [];
  for (const found of text.matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g)) {
    lines.push({ text: found[1] ?? '', offset: found.index });
  }
  return lines;
}

const isBlank = (line: Line | undefined): boolean => line === undefined || line.text.trim() === '';

interface Found {
  readonly blocks: Block[];
  readonly faults: MarkdownFault[];
}

/** Reads one block and answers the line after it. */
function readBlock(lines: readonly Line[], from: number, found: Found): number {
  const line = lines[from];
  if (line === undefined || isBlank(line)) return from + 1;
  const fenced = fence.exec(line.text)?.[1];
  if (fenced !== undefined) return readFenced(lines, from, fenced, found);
  if (item.test(line.text) && otherBlock(line) === null) return readList(lines, from, found);
  if (/^(?: {4}|\t)/.test(line.text)) {
    const message = 'an indented line: put code between ``` lines, or remove the spaces before it';
    found.faults.push({ offset: line.offset, found: '', message });
  }
  let end = from + 1;
  while (end < lines.length && !isBlank(lines[end]) && !beginsBlock(lines[end])) end += 1;
  const children = readInlines(lines.slice(from, end), found.faults);
  for (const one of lines.slice(from, end)) {
    const other = otherBlock(one);
    if (other !== null) found.faults.push(other);
  }
  found.blocks.push({ kind: 'paragraph', children });
  return end;
}

const beginsBlock = (line: Line | undefined): boolean =>
  line !== undefined && (fence.test(line.text) || /^ {0,3}(?:[-*+]|1[.)])[ \t]+\S/.test(line.text));

function otherBlock({ text, offset }: Line): MarkdownFault | null {
  for (const [pattern, message] of otherBlocks) {
    const signs = pattern.exec(text)?.[0].trim();
    if (signs === undefined) continue;
    return { offset: offset + text.indexOf(signs), found: signs.slice(0, 12), message };
  }
  return null;
}

function readFenced(lines: readonly Line[], from: number, opened: string, found: Found): number {
  const isEnd = (line: Line): boolean => {
    const text = line.text.trim();
    return (
      text.length >= opened.length &&
      text === (text[0] ?? '').repeat(text.length) &&
      text[0] === opened[0]
    );
  };
  let end = from + 1;
  while (end < lines.length && !isEnd(lines[end] ?? { text: '', offset: 0 })) end += 1;
  const text = lines.slice(from + 1, end).map((line) => line.text);
  if (end >= lines.length) {
    const message = `code that never ends: write ${opened} on a line of its own after it`;
    found.faults.push({ offset: lines[from]?.offset ?? 0, found: opened, message });
  }
  found.blocks.push({ kind: 'code', text: text.join('\n') });
  return end + 1;
}

/** Items begin with their mark; a line without one goes on with the item before it. */
function readList(lines: readonly Line[], from: number, found: Found): number {
  const first = item.exec(lines[from]?.text ?? '');
  const isOrdered = first?.[2] !== undefined;
  const innermost = (first?.[1]?.length ?? 0) + 2;
  const items: Line[][] = [];
  let at = from;
  for (; at < lines.length; at += 1) {
    const line = lines[at];
    if (line === undefined || isBlank(line)) break;
    const marked = item.exec(line.text);
    const mark = (marked?.[1]?.length ?? 0) >= innermost ? null : marked;
    const isOther = mark !== null && (mark[2] !== undefined) !== isOrdered;
    if (isOther || otherBlock(line) !== null || fence.test(line.text)) break;
    if (mark !== null) {
      items.push([{ text: line.text.slice(mark[0].length), offset: line.offset + mark[0].length }]);
      continue;
    }
    const indent = /^[ \t]*/.exec(line.text)?.[0].length ?? 0;
    const rest = { text: line.text.slice(indent), offset: line.offset + indent };
    if (item.test(rest.text)) {
      const message = 'a list within a list: write one list';
      found.faults.push({ offset: rest.offset, found: rest.text.slice(0, 2).trim(), message });
    }
    items.at(-1)?.push(rest);
  }
  const children = items.map((one) => readInlines(one, found.faults));
  found.blocks.push({ kind: 'list', isOrdered, items: children });
  return at;
}

/** The words alone, for a notification or a terminal: no marks, a list's items on lines of their own. */
export function plainText(blocks: readonly Block[]): string {
  return blocks
    .map((block) => {
      if (block.kind === 'code') return block.text;
      if (block.kind === 'paragraph') return plainInlines(block.children);
      return block.items
        .map((one, at) => `${block.isOrdered ? `${at + 1}.` : '-'} ${plainInlines(one)}`)
        .join('\n');
    })
    .join('\n\n');
}

/** A link's address follows its text, unless it is the text. */
function plainInlines(inlines: readonly Inline[]): string {
  return inlines
    .map((inline): string => {
      switch (inline.kind) {
        case 'text':
        case 'code':
          return inline.text;
        case 'break':
          return '\n';
        case 'strong':
        case 'emphasis':
          return plainInlines(inline.children);
        case 'link': {
          const text = plainInlines(inline.children);
          return text === inline.href ? text : `${text} (${inline.href})`;
        }
      }
    })
    .join('');
}
