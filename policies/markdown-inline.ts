/**
 * What stands within a line of the Markdown subset: text, code, bold, italic, links, a forced break. A
 * mark that opens and never closes is text. One walk over the signs with a bounded stack, so no text
 * takes more than its length; no link but to https, http and mailto ever comes out.
 */
import { wrongAddress } from './addresses.js';
import type { MarkdownFault } from './markdown.js';

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'break' }
  | { readonly kind: 'strong'; readonly children: readonly Inline[] }
  | { readonly kind: 'emphasis'; readonly children: readonly Inline[] }
  | { readonly kind: 'link'; readonly href: string; readonly children: readonly Inline[] };

/** Something opened: `*`, `**`, `_`, `__` or `[`; `''` is the bottom. */
interface Frame {
  readonly mark: string;
  readonly children: Inline[];
}

const deepest = 24;
const mostFaults = 100;
const entity = /&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});/iy;
const tag = /<(?:\/?[a-z][a-z0-9-]{0,20}(?=[\s/>])|!--|![a-z[]|\?)/iy;
const autolink = /<([a-z][a-z0-9+.-]{1,31}:[^\s<>]{1,2000})>/iy;
const destination = /\(<?((?:[^\s()<>]|\([^\s()<>]{0,200}\)){0,2000})>?\)/y;

const hidden =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;
const escapable = /[!-/:-@[-`{-~]/;

class InlineReader {
  readonly #text: string;
  readonly #offsets: readonly (readonly [at: number, offset: number])[];
  readonly #faults: MarkdownFault[];
  readonly #frames: Frame[] = [{ mark: '', children: [] }];
  /** Lengths of backtick runs for which no end lies ahead. */
  readonly #unended = new Set<number>();
  #at = 0;

  constructor(
    text: string,
    offsets: readonly (readonly [at: number, offset: number])[],
    faults: MarkdownFault[],
  ) {
    this.#text = text;
    this.#offsets = offsets;
    this.#faults = faults;
  }

  read(): readonly Inline[] {
    while (this.#at < this.#text.length) this.#step();
    while (this.#frames.length > 1) this.#flatten();
    return this.#frames[0]?.children ?? [];
  }

  #step(): void {
    const sign = this.#text[this.#at] ?? '';
    const next = this.#text[this.#at + 1] ?? '';
    if (sign === '\\' && next === '\n') return this.#add({ kind: 'break' }, 2);
    if (sign === '\\' && escapable.test(next)) return this.#add({ kind: 'text', text: next }, 2);
    if (sign === '\n') return this.#lineEnd();
    if (sign === '`') return this.#code();
    if (sign === '*' || sign === '_') return this.#emphasis(sign);
    if (sign === '!' && next === '[') {
      this.#fault('![', 'an image: link to the page that shows it');
      return this.#literal('![');
    }
    if (sign === '[') return this.#begin('[', 1);
    if (sign === ']') return this.#link();
    if (sign === '<') return this.#angle();
    if (sign === '&') return this.#entity();
    if (sign === '~' && next === '~') this.#fault('~~', 'struck-out text: leave it out');
    if (hidden.test(sign)) {
      const code = sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
      this.#fault('', `the character U+${code}, which nobody sees: leave it out`);
      this.#at += 1;
      return;
    }
    const plain = /[^\\\n`*_![\]<&~\u0000-\u001f\u007f-\u009f\u200b-\u206f\ufeff]+/uy;
    plain.lastIndex = this.#at;
    this.#literal(plain.exec(this.#text)?.[0] ?? sign);
  }

  #lineEnd(): void {
    const children = this.#frames.at(-1)?.children ?? [];
    const last = children.at(-1);
    const isForced = last?.kind === 'text' && last.text.endsWith('  ');
    if (last?.kind === 'text') {
      const text = last.text.replace(/ +$/, '');
      children.splice(-1, 1, ...(text === '' ? [] : [{ kind: 'text' as const, text }]));
    }
    this.#add(isForced ? { kind: 'break' } : { kind: 'text', text: ' ' }, 1);
  }

  /** The same number of backticks ends what they began; without an end they are text. */
  #code(): void {
    const run = /`+/y;
    run.lastIndex = this.#at;
    const marks = run.exec(this.#text)?.[0] ?? '`';
    if (this.#unended.has(marks.length)) return this.#literal(marks);
    const start = this.#at + marks.length;
    for (const found of this.#text.slice(start).matchAll(/`+/g)) {
      if (found[0].length !== marks.length) continue;
      const text = this.#text.slice(start, start + found.index).replaceAll('\n', ' ');
      const isPadded = /^ .* $/.test(text) && text.trim() !== '';
      const shown = isPadded ? text.slice(1, -1) : text;
      return this.#add({ kind: 'code', text: shown }, 2 * marks.length + text.length);
    }
    this.#unended.add(marks.length);
    this.#literal(marks);
  }

  #emphasis(sign: string): void {
    let end = this.#at;
    while (this.#text[end] === sign) end += 1;
    let left = end - this.#at;
    const [before, after] = [this.#text[this.#at - 1] ?? ' ', this.#text[end] ?? ' '];
    const isWord = (one: string): boolean => /[\p{L}\p{N}]/u.test(one);
    const canOpen = !/\s/.test(after) && (sign === '*' || !isWord(before));
    const canClose = !/\s/.test(before) && (sign === '*' || !isWord(after));
    while (left > 0 && canClose) {
      const at = this.#frames.findLastIndex(({ mark }) => mark[0] === sign && mark.length <= left);
      const isInLink = this.#frames.findLastIndex(({ mark }) => mark === '[') > at;
      if (at < 0 || isInLink) break;
      while (this.#frames.length > at + 1) this.#flatten();
      const { mark = '', children = [] } = this.#frames.pop() ?? {};
      const kind = mark.length === 2 ? 'strong' : 'emphasis';
      left -= mark.length;
      if (children.length > 0) this.#add({ kind, children }, mark.length);
      else this.#literal(mark);
    }
    if (left > 3 || !canOpen) {
      if (left > 0) this.#literal(sign.repeat(left));
      return;
    }
    if (left >= 2) this.#begin(sign + sign, 2);
    if (left % 2 === 1) this.#begin(sign, 1);
  }

  /** `]`: a link when it was opened and an address follows; links do not hold links. */
  #link(): void {
    const at = this.#frames.findLastIndex(({ mark }) => mark === '[');
    if (at < 0) return this.#literal(']');
    while (this.#frames.length > at + 1) this.#flatten();
    destination.lastIndex = this.#at + 1;
    const found = destination.exec(this.#text);
    const href = found?.[1] ?? null;
    if (found === null || href === null) {
      const next = this.#text[this.#at + 1];
      if (next === '(')
        this.#fault('](', 'a link is written [text](https://...), without a title or spaces');
      else if (next === '[') this.#fault('][', 'a link by reference: write [text](https://...)');
      this.#flatten();
      return this.#literal(']');
    }
    const wrong = wrongAddress(href, 'web or mail');
    if (wrong !== null) {
      this.#fault('](', `a link: ${wrong}`);
      this.#flatten();
      return this.#literal(`]${found[0]}`);
    }
    const { children = [] } = this.#frames.pop() ?? {};
    while (this.#frames.some(({ mark }) => mark === '[')) this.#flatten();
    this.#add({ kind: 'link', href, children }, 1 + found[0].length);
  }

  #angle(): void {
    autolink.lastIndex = this.#at;
    const [whole, href] = autolink.exec(this.#text) ?? [];
    if (whole !== undefined && href !== undefined) {
      const wrong = wrongAddress(href, 'web or mail');
      if (wrong === null) {
        return this.#add(
          { kind: 'link', href, children: [{ kind: 'text', text: href }] },
          whole.length,
        );
      }
      this.#fault(whole.slice(0, 12), `a link: ${wrong}`);
      return this.#literal(whole);
    }
    tag.lastIndex = this.#at;
    const found = tag.exec(this.#text)?.[0];
    if (found !== undefined) {
      this.#fault(
        found.slice(0, 12),
        'HTML: use the marks of Markdown, or write \\< for the sign itself',
      );
    }
    this.#literal('<');
  }

  #entity(): void {
    entity.lastIndex = this.#at;
    const found = entity.exec(this.#text)?.[0];
    if (found !== undefined)
      this.#fault(found, `${found} is shown as it is written: write the character itself`);
    this.#literal('&');
  }

  #begin(mark: string, length: number): void {
    if (this.#frames.length > deepest) return this.#literal(mark);
    this.#frames.push({ mark, children: [] });
    this.#at += length;
  }

  /** What was opened last becomes text. */
  #flatten(): void {
    const frame = this.#frames.pop();
    if (frame === undefined) return;
    this.#push({ kind: 'text', text: frame.mark });
    for (const child of frame.children) this.#push(child);
  }

  #literal(text: string): void {
    this.#add({ kind: 'text', text }, text.length);
  }

  #add(inline: Inline, length: number): void {
    this.#push(inline);
    this.#at += length;
  }

  #push(inline: Inline): void {
    const children = this.#frames.at(-1)?.children ?? [];
    const last = children.at(-1);
    if (inline.kind === 'text' && last?.kind === 'text') {
      children.splice(-1, 1, { kind: 'text', text: last.text + inline.text });
    } else if (inline.kind !== 'text' || inline.text !== '') children.push(inline);
  }

  #fault(found: string, what: string): void {
    if (this.#faults.length >= mostFaults) return;
    const [at = 0, offset = 0] = this.#offsets.findLast(([start]) => start <= this.#at) ?? [];
    this.#faults.push({ offset: offset + this.#at - at, found, message: what });
  }
}

/** The inlines of some lines that belong together; what is not in the subset is added to `faults`. */
export function readInlines(
  lines: readonly { readonly text: string; readonly offset: number }[],
  faults: MarkdownFault[],
): readonly Inline[] {
  let text = '';
  const offsets: [number, number][] = [];
  for (const line of lines) {
    if (offsets.length > 0) text += '\n';
    const shown = line.text.replace(/^[ \t]+/, '');
    offsets.push([text.length, line.offset + line.text.length - shown.length]);
    text += shown;
  }
  return new InlineReader(text.replace(/[ \t]+$/, ''), offsets, faults).read();
}
