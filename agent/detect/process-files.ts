/**
 * Which files a process may have come from, by its command line: the script a general runtime was given,
 * the module, the package, the executable. Only the one argument that names it is ever used; it reads
 * nothing from the disk.
 */
import type { ProcessEntry, World } from './index.js';

/** Programs that run other people's programs; what they are is the script they were given. */
const runtimes =
  /^(node|nodejs|bun|deno|tsx|electron|python[\d.]*w?|ruby|sh|bash|dash|zsh|ksh|fish)(\.exe)?$/i;
const pythons = /^python[\d.]*w?(\.exe)?$/i;
/** Scripts that run the script named after them. */
const runners = /[\\/]node_modules[\\/](tsx|ts-node|tsm|nodemon)[\\/]/;
/** Options of those runtimes whose value is the next argument, where it does not follow a `=`. */
const valued =
  /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|-W|-X|--env-file(-if-exists)?|--title|--inspect-port|--stack-trace-limit|--input-type|--disable-warning|--icu-data-dir|--openssl-config|--diagnostic-dir|--redirect-warnings|--max-http-header-size|--unhandled-rejections|--preload|--tsconfig|--cwd|--config)$/;
/** Options after which there is no script but a program text or a module name. */
const scriptless = /^(-e|--eval|-p|--print|-c|-m|-i|-)$/;
const maxArguments = 32;

export interface StartedFile {
  readonly kind: 'script path' | 'executable';
  readonly path: string;
}

/** Whether a program of this name says nothing about what it runs. */
export function isRuntime(path: string, world: World): boolean {
  return runtimes.test(world.path.basename(path));
}

/** The program's own file, where it was before it was removed; Windows may add how to read its path. */
export function programOf({ exe }: ProcessEntry): string | null {
  return exe?.replace(/ \(deleted\)$/, '').replace(/^\\\\\?\\(?=[A-Za-z]:)/, '') ?? null;
}

/** The files a process may have come from, surest first. */
export function startedFiles(entry: ProcessEntry, world: World): readonly StartedFile[] {
  const program = programOf(entry);
  const first = entry.argv?.[0] ?? '';
  const hasScript = [program, first].some((path) => path !== null && isRuntime(path, world));
  const scripts = hasScript ? scriptsOf(entry, world) : [];
  return [
    ...scripts.map((path) => ({ kind: 'script path', path }) as const),
    ...(program === null ? [] : [{ kind: 'executable', path: program } as const]),
    ...(world.path.isAbsolute(first) ? [{ kind: 'executable', path: first } as const] : []),
  ];
}

function scriptsOf({ argv, cwd }: ProcessEntry, world: World): readonly string[] {
  const scripts: string[] = [];
  const started = (argv ?? []).slice(0, maxArguments);
  const isSubcommand = /^(bun|deno)(\.exe)?$/.test(world.path.basename(started[0] ?? ''));
  for (let at = 1; at < started.length; at += 1) {
    const argument = started[at] ?? '';
    if (valued.test(argument)) at += 1;
    else if (scriptless.test(argument)) break;
    else if (argument === 'run' && isSubcommand) continue;
    else if (argument !== '' && !argument.startsWith('-')) {
      const isWhole = world.path.isAbsolute(argument);
      if (!isWhole && cwd === null) break;
      const script = isWhole ? argument : world.path.join(cwd ?? '', argument);
      scripts.push(script);
      if (!runners.test(script)) break;
    }
  }
  return scripts;
}

/** The interpreter as it was called, which says its environment; null for what is no Python. */
function pythonOf(entry: ProcessEntry, world: World): string | null {
  const first = entry.argv?.[0] ?? '';
  const python = world.path.isAbsolute(first) ? first : programOf(entry);
  return python !== null && pythons.test(world.path.basename(python)) ? python : null;
}

/** A script that an interpreter was given, which may lie far from the environment that it belongs to. */
export function startedScript(
  entry: ProcessEntry,
  world: World,
): { readonly python: string; readonly script: string } | null {
  const python = pythonOf(entry, world);
  const [script] = python === null ? [] : scriptsOf(entry, world);
  return python === null || script === undefined ? null : { python, script };
}

/** `python -m module`. */
export function startedModule(
  entry: ProcessEntry,
  world: World,
): { readonly python: string; readonly module: string } | null {
  const argv = entry.argv ?? [];
  const python = pythonOf(entry, world);
  if (python === null) return null;
  for (let at = 1; at < Math.min(argv.length, maxArguments); at += 1) {
    const argument = argv[at] ?? '';
    if (/^-(W|X)$/.test(argument)) at += 1;
    else if (argument === '-m') {
      const module = (argv[at + 1] ?? '').split('.')[0] ?? '';
      return /^\w{1,100}$/.test(module) ? { python, module } : null;
    } else if (!argument.startsWith('-') || argument === '-c') return null;
  }
  return null;
}

/** `deno run npm:<package>@<version>`: the package it was told to run. */
export function startedPackage(
  { argv }: Pick<ProcessEntry, 'argv'>,
  world: World,
): { readonly name: string; readonly version: string | null } | null {
  if (!/^deno(\.exe)?$/.test(world.path.basename(argv?.[0] ?? ''))) return null;
  for (const argument of (argv ?? []).slice(1, maxArguments)) {
    if (argument === 'run' || argument === 'x' || argument.startsWith('-')) continue;
    const found = /^npm:\/?((?:@[\w.-]+\/)?[\w.-]+)(?:@(\d+\.\d+\.\d+[\w.+-]*))?(?:[@/]|$)/.exec(
      argument,
    );
    const [, name, version = null] = found ?? [];
    return name === undefined ? null : { name, version };
  }
  return null;
}
