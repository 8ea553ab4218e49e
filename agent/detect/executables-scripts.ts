/**
 * What stands behind a small script on a PATH: a wrapper is the program that it starts, wherever that
 * lies in the same home or on the machine, and nothing of its own; without that program it is a trace.
 * A Python script is the package that its interpreter finds it in. No script is ever run.
 */
import { homeOf } from './component.js';
import type { Look } from './executables-places.js';
import type { Contents, FileFacts, Home, Reader, World } from './index.js';
import { interpreterOf, launchOf } from './launchers.js';
import { originOf, originOfText, scriptText, type Origin } from './origin.js';
import { isRuntime, startedPackage } from './process-files.js';
import { pythonScript, type PythonModule } from './python-commands.js';

/** A program that a script starts. */
export interface Behind {
  readonly real: string;
  readonly facts: FileFacts;
  readonly origin: Origin;
  readonly reader: Reader;
}

export type Script =
  | { readonly kind: 'program'; readonly program: Behind }
  | { readonly kind: 'python'; readonly module: PythonModule }
  | { readonly kind: 'deno'; readonly name: string; readonly version: string | null }
  /** It starts programs, none of which is there any more. */
  | { readonly kind: 'gone' }
  /** Starts something that has a record of its own, or whatever its settings say. */
  | { readonly kind: 'other' };

/**
 * null: no script, or one that says nothing of what it starts. `isNamed`: its name is a tool's command,
 * so that more than its text is worth looking at.
 */
export function readScript(
  real: string,
  { size }: FileFacts,
  look: Look,
  isNamed: boolean,
): Script | null {
  const { world, reader } = look;
  const text = scriptText(real, size, reader);
  const kind = text === null ? 'file' : originOfText(text);
  if (text === null || kind === 'shim') return text === null ? null : { kind: 'other' };
  if (kind === 'python') {
    const module = pythonScript(real, text, isNamed, world);
    return module === null ? { kind: 'other' } : { kind: 'python', module };
  }
  return ofLaunch(text, real, look) ?? (kind === 'other' ? { kind: 'other' } : null);
}

/** More wrappers than this around one another are not followed. */
const maxWrappers = 4;

/** Of the text of a shell's script; null when it says nothing of what it starts. */
export function ofLaunch(
  text: string,
  real: string,
  { root, world }: Pick<Look, 'root' | 'world'>,
  wrappers = 1,
): Script | null {
  const home = root.home;
  const owner = { home: home?.path ?? null, account: home?.account ?? null, env: home?.env ?? {} };
  const launch = launchOf(text, real, owner, world);
  if (launch === null) return null;
  if (launch.deno !== null) {
    const named = startedPackage({ argv: ['deno', ...launch.deno.slice(1)] }, world);
    return named === null ? { kind: 'other' } : { kind: 'deno', ...named };
  }
  const programs = launch.paths.filter((path) => !isRuntime(path, world) && path !== real);
  const reader = world.reader({ within: within(home, world) });
  const there = programs.flatMap((path) => behind(path, home, world, reader) ?? []);
  const [program] = there;
  if (program !== undefined) {
    const inner = program.origin.kind === 'file' && wrappers < maxWrappers ? program : null;
    const own = inner === null ? null : scriptText(inner.real, inner.facts.size, reader);
    const further =
      own === null ? null : ofLaunch(own, program.real, { root, world }, wrappers + 1);
    return further ?? { kind: 'program', program };
  }
  return programs.length === 0 || programs.some((path) => !mayLook(path, home, world))
    ? null
    : { kind: 'gone' };
}

function within(home: Home | null, { hasSystem, platform }: World): readonly string[] {
  const top = platform === 'win32' ? 'C:\\' : '/';
  return home === null || hasSystem ? [top] : [home.path];
}

/** A script may lead into its owner's home and to what belongs to the machine, never to somebody else's. */
function mayLook(path: string, home: Home | null, world: World): boolean {
  const owner = homeOf(world, path);
  return owner === home || (owner === null && world.hasSystem);
}

function behind(path: string, home: Home | null, world: World, reader: Reader): Behind | null {
  const real = reader.realPath(path);
  const facts = real === null ? null : reader.facts(real);
  if (real === null || facts?.kind !== 'file' || !mayLook(real, home, world)) return null;
  return { real, facts, origin: originOf(real, world, reader), reader };
}

export type { Contents };
