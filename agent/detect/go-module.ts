/**
 * Which Go module a program was built from, as the Go linker writes it into every program
 * (https://pkg.go.dev/debug/buildinfo). Read from where the format keeps it, or found in a piece of the
 * program for builds before Go 1.18, which only point to it. What the program does is none of its concern.
 */

export interface GoModule {
  /** Path of the main module, without a major version at its end. */
  readonly path: string;
  /** Without the leading `v`; null for a build from a working copy. */
  readonly version: string | null;
}

const magic = Buffer.from('\xff Go buildinf:', 'latin1');
const maxTextBytes = 64 * 1024;

/** What the place that the linker reserves says; undefined: no Go program by this. */
export function readGoModule(place: Buffer): GoModule | undefined {
  const at = place.indexOf(magic);
  if (at === -1 || at + 33 > place.length) return undefined;
  const isInline = ((place[at + 15] ?? 0) & 2) !== 0;
  if (!isInline) return undefined;
  const compiler = readText(place, at + 32);
  const text = compiler === null ? null : readText(place, compiler.end);
  return text === null ? undefined : parseModule(text.value);
}

/** A length in the form of `binary.Uvarint`, then as many bytes. */
function readText(bytes: Buffer, from: number): { value: string; end: number } | null {
  let length = 0;
  let at = from;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at] ?? 0;
    at += 1;
    length += (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const end = at + length;
  if (length > maxTextBytes || end > bytes.length) return null;
  return { value: bytes.toString('utf8', at, end), end };
}

const line = Buffer.from('\nmod\t');
const reach = 512;
/** A program names its main module once; a piece that is full of such lines was made to be. */
const maxTries = 1_000;

/** The same text anywhere in a piece of a program. */
export function findGoModule(bytes: Buffer): GoModule | undefined {
  let at = bytes.indexOf(line);
  for (let tries = 0; at !== -1 && tries < maxTries; tries += 1) {
    const around = bytes.toString('latin1', Math.max(0, at - reach), at + reach);
    const found = parseModule(around);
    if (found !== undefined) return found;
    at = bytes.indexOf(line, at + 1);
  }
  return undefined;
}

/** The lines `path` and `mod`; a program built without modules has no `mod`. */
const lines =
  /(?:^|[^\x20-\x7e\n\t])path\t[^\s]{1,300}\nmod\t([A-Za-z0-9._~/-]{1,300})\t([^\s]{0,100})\t/;

function parseModule(text: string): GoModule | undefined {
  const found = lines.exec(text);
  const [, path = '', version = ''] = found ?? [];
  if (path === '') return undefined;
  return {
    path: path.replace(/\/v\d+$/, ''),
    version: /^v\d/.test(version) ? version.slice(1) : null,
  };
}
