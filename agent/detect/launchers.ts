/**
 * What a small script starts, by its text: the programs on the line that hands its own arguments on, the
 * package that Deno is told to run, the interpreter in its first line. Only literal paths, variables of
 * the script itself, of the home and of the script's own folder are followed; what a shell would have to
 * work out is not. Pure: nothing is looked up, and no argument is kept.
 */
import { expandFolder, assignments, type Owner } from './shell-path.js';
import type { World } from './index.js';

/** What a script says of itself. */
export interface Launch {
  /** Absolute paths on the lines that hand arguments on, in order; normal, and not checked. */
  readonly paths: readonly string[];
  /** The words of such a line that runs Deno. */
  readonly deno: readonly string[] | null;
}

const maxLines = 400;
/** The lines that matter are short; long ones would cost more than their length. */
const maxLineLength = 2_000;
const maxPaths = 20;

const shells = /^#!.*[/ ](sh|bash|dash|zsh|ksh|fish)\b/;
/** All arguments, as each kind of shell hands them on. */
const handsOn = /"?\$\{?@\}?"?|\$\{1\+|\$\*|%\*|\$args\b|@args\b|\$argv\b/i;

/** null for what is no script of a shell; `file` is the script's real path. */
export function launchOf(text: string, file: string, owner: Owner, world: World): Launch | null {
  const isWindows = /\.(cmd|bat|ps1)$/i.test(file);
  if (!isWindows && !shells.test(text.slice(0, 200))) return null;
  const folder = world.path.dirname(file);
  const env: Record<string, string> = { ...owner.env };
  const paths: string[] = [];
  let deno: readonly string[] | null = null;
  for (const raw of text.split(/\r?\n/, maxLines)) {
    if (raw.length > maxLineLength || /^\s*(#|::|rem\b)/i.test(raw)) continue;
    const line = withFolder(raw, folder, isWindows);
    if (!handsOn.test(line)) {
      for (const { name, value } of setIn(line, isWindows)) {
        const known = expandFolder(value, { ...owner, env }, world.platform);
        if (known !== null && known !== '') env[name] = known;
      }
      continue;
    }
    const words = wordsOf(line);
    const program = words.find((word) => !/^(exec|command|call)$/i.test(word)) ?? '';
    if (/^(.*[\\/])?deno(\.exe)?$/i.test(program)) deno = words.slice(words.indexOf(program));
    for (const word of words) {
      const path = expandFolder(word, { ...owner, env }, world.platform);
      if (path !== null && isWhole(path, world)) paths.push(world.path.normalize(path));
    }
  }
  return { paths: paths.slice(0, maxPaths), deno };
}

function isWhole(path: string, { platform, path: { isAbsolute } }: World): boolean {
  return platform === 'win32' ? /^[A-Za-z]:[\\/]/.test(path) : isAbsolute(path);
}

/** The ways in which scripts name the folder that they lie in, replaced by it. */
function withFolder(line: string, folder: string, isWindows: boolean): string {
  if (isWindows) {
    return line
      .replace(/%~dp0\\?|%dp0%\\?/gi, () => `${folder}\\`)
      .replace(/\$PSScriptRoot\b|\$basedir\b/gi, () => folder)
      .replace(/\$env:(\w+)/gi, '%$1%');
  }
  return line
    .replace(/\$\(echo "\$0" \| sed [^)]*\)/g, '$0')
    .replace(/\$\(readlink -f ["']?\$0["']?\)/g, '$0')
    .replace(/\$\{0%\/\*\}/g, () => folder)
    .replace(
      /(?:\$\(|`)dirname (?:-- )?"?\$\{?(?:0|BASH_SOURCE(?:\[0\])?)\}?"?(?:\)|`)/g,
      () => folder,
    )
    .replace(/\$\(cd (?:-- )?["']?([^"'$)]+)["']?[^)]* && pwd(?: -P)?\)/g, '$1');
}

function setIn(line: string, isWindows: boolean): ReturnType<typeof assignments> {
  if (!isWindows) return assignments(line);
  const found =
    /^\s*@?set\s+"?(\w+)=([^"]*)"?\s*$/i.exec(line) ??
    /^\s*\$(\w+)\s*=\s*["']([^"']*)["']\s*$/.exec(line);
  const [, name, value] = found ?? [];
  return name === undefined || value === undefined ? [] : [{ name, value }];
}

/** Words as a shell parts them; quotes may stand inside a word. */
function wordsOf(line: string): readonly string[] {
  const words = line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"';|&<>()])+/g);
  // In front of a word cmd.exe takes `@` for "do not say this line".
  return [...words].map(([word]) => word.replace(/^@|["']/g, ''));
}

/** Where a script's own interpreter lies, if its first line says a place; of pip's long form too. */
export function interpreterOf(text: string): string | null {
  const [first = '', second = ''] = text.split('\n', 2);
  const line = /^#!\s*\/bin\/sh\s*$/.test(first)
    ? /^'''exec' "?([^"]+?)"? "\$0" "\$@"\s*$/.exec(second)?.[1]
    : /^#!\s*(\S+)/.exec(first)?.[1];
  return line?.startsWith('/') === true ? line : null;
}
