/**
 * A reader for the plain part of TOML (https://toml.io/en/v1.0.0) in which tools keep their settings:
 * tables, arrays of tables, dotted and quoted keys, strings, arrays, inline tables. Numbers, dates and
 * booleans stay as text. It checks less than a full parser does, so what it reads is known with less
 * confidence; a file it cannot follow to its end is `null`, never half read.
 */

export type TomlValue = string | readonly TomlValue[] | TomlTable;
export interface TomlTable {
  readonly [key: string]: TomlValue;
}

type Open = { [key: string]: TomlValue };

const maxDepth = 24;

/** What a file says; null where it is not TOML that is understood here. */
export function readToml(text: string): TomlTable | null {
  try {
    return new TomlText(text).read();
  } catch (error) {
    if (error instanceof NotToml) return null;
    throw error;
  }
}

class NotToml extends Error {}

const emptyTable = (): Open => Object.create(null) as Open;

class TomlText {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): TomlTable {
    const top = emptyTable();
    let table = top;
    for (this.#blank(true); this.#at < this.#text.length; this.#blank(true)) {
      if (this.#takes('[[')) table = this.#header(top, ']]');
      else if (this.#takes('[')) table = this.#header(top, ']');
      else this.#pair(table, 0);
      this.#blank(false);
      if (this.#at < this.#text.length && !/[\r\n]/.test(this.#peek())) this.#fail();
    }
    return top;
  }

  #fail(): never {
    throw new NotToml();
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #takes(word: string): boolean {
    const isHere = this.#text.startsWith(word, this.#at);
    if (isHere) this.#at += word.length;
    return isHere;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    this.#at += found?.length ?? 0;
    return found;
  }

  /** Blanks and comments; over line ends too where they mean nothing. */
  #blank(isOverLines: boolean): void {
    this.#match(isOverLines ? /(?:[ \t\r\n]+|#[^\n]*)*/y : /[ \t]*(?:#[^\n]*)?/y);
  }

  #header(top: Open, end: string): Open {
    const names = this.#key();
    if (!this.#takes(end)) this.#fail();
    if (end === ']') return this.#walk(top, names);
    const last = names.pop() ?? this.#fail();
    const list = (this.#walk(top, names)[last] ??= []);
    if (!Array.isArray(list)) this.#fail();
    const table = emptyTable();
    // One list for all of them: a copy for each would cost the square of their number.
    (list as TomlValue[]).push(table);
    return table;
  }

  /** The table that these names lead to, made where it is missing. */
  #walk(from: Open, names: readonly string[]): Open {
    let table = from;
    for (const name of names) {
      const next = (table[name] ??= emptyTable());
      const inside = Array.isArray(next) ? (next.at(-1) as TomlValue | undefined) : next;
      if (typeof inside !== 'object' || Array.isArray(inside)) this.#fail();
      table = inside as Open;
    }
    return table;
  }

  #pair(table: Open, depth: number): void {
    const names = this.#key();
    this.#blank(false);
    if (!this.#takes('=')) this.#fail();
    const last = names.pop() ?? this.#fail();
    this.#blank(false);
    this.#walk(table, names)[last] = this.#value(depth);
  }

  #key(): string[] {
    const names: string[] = [];
    do {
      this.#match(/[ \t]*/y);
      const isQuoted = this.#peek() === '"' || this.#peek() === "'";
      names.push(isQuoted ? this.#string() : (this.#match(/[A-Za-z0-9_-]+/y) ?? this.#fail()));
      this.#match(/[ \t]*/y);
      if (names.length > maxDepth) this.#fail();
    } while (this.#takes('.'));
    return names;
  }

  #value(depth: number): TomlValue {
    if (depth > maxDepth) this.#fail();
    if (this.#peek() === '"' || this.#peek() === "'") return this.#string();
    if (this.#takes('[')) return this.#array(depth);
    if (this.#takes('{')) return this.#inline(depth);
    return (this.#match(/[A-Za-z0-9+-](?:[A-Za-z0-9_.:+-]| (?=\d))*/y) ?? this.#fail()).trimEnd();
  }

  #array(depth: number): readonly TomlValue[] {
    const values: TomlValue[] = [];
    for (this.#blank(true); !this.#takes(']'); this.#blank(true)) {
      values.push(this.#value(depth + 1));
      this.#blank(true);
      if (!this.#takes(',') && this.#peek() !== ']') this.#fail();
    }
    return values;
  }

  #inline(depth: number): TomlTable {
    const table = emptyTable();
    for (this.#blank(true); !this.#takes('}'); this.#blank(true)) {
      this.#pair(table, depth + 1);
      this.#blank(true);
      if (!this.#takes(',') && this.#peek() !== '}') this.#fail();
    }
    return table;
  }

  #string(): string {
    if (this.#takes("'''")) return this.#until("'''").replace(/^\r?\n/, '');
    if (this.#takes('"""')) return unescaped(this.#until('"""').replace(/^\r?\n/, ''));
    if (this.#takes("'")) return this.#oneLine(this.#until("'"));
    if (!this.#takes('"')) this.#fail();
    return unescaped(this.#oneLine(this.#until('"')));
  }

  #oneLine(text: string): string {
    return text.includes('\n') ? this.#fail() : text;
  }

  /** The text up to a closing mark; in a double-quoted string an escaped one does not close. */
  #until(mark: string): string {
    const isEscaping = mark.startsWith('"');
    const start = this.#at;
    while (this.#at < this.#text.length) {
      if (isEscaping && this.#peek() === '\\') this.#at += 2;
      else if (this.#takes(mark)) {
        // Up to two more of the same sign belong to the text of a long string.
        while (mark.length === 3 && this.#peek() === mark[0]) this.#at += 1;
        return this.#text.slice(start, this.#at - mark.length);
      } else this.#at += 1;
    }
    return this.#fail();
  }
}

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\u{1b}',
};

function unescaped(text: string): string {
  return text.replace(
    /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|[ \t]*\r?\n\s*|(.))/gs,
    (_, short?: string, long?: string, letter?: string) => {
      const code = Number.parseInt(short ?? long ?? '', 16);
      if (!Number.isNaN(code)) return code <= 0x10ffff ? String.fromCodePoint(code) : '\u{fffd}';
      return letter === undefined ? '' : (escapes[letter] ?? letter);
    },
  );
}
