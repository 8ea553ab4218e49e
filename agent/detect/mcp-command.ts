/**
 * What of an MCP server's command line and address may be told: the program's name, the package that a
 * run-once command names, the host of a URL. Everything else in them may be a secret and is dropped,
 * and where an option is not known, so that its value could be taken for a package, nothing is told.
 */
import { writePackageUrl } from '../../policies/package-url.js';
/** A package that a command starts. `version` only where it is pinned to one. */
export interface ServedPackage {
  readonly ecosystem: 'npm' | 'pypi' | 'docker';
  readonly name: string;
  readonly version: string | null;
  readonly purl: string | null;
}

const programPattern = /^[\w.+@-]{1,64}$/;

/** The file name of a program, without folders and the suffixes of Windows; null when it is not one. */
export function commandName(command: string): string | null {
  const quoted = /^"([^"]*)"|^'([^']*)'/.exec(command.trim());
  const path = quoted?.[1] ?? quoted?.[2] ?? unquotedPath(command.trim());
  const name = (path.split(/[\\/]/).at(-1) ?? '').replace(/\.(exe|cmd|bat|com|ps1)$/i, '');
  return programPattern.test(name) ? name : null;
}

/** The program of a line that may hold arguments too; only Windows' own paths may have a blank in them. */
function unquotedPath(line: string): string {
  const windows = /^[A-Za-z]:[\\/][^"<>|?*:=]*?\.(?:exe|cmd|bat|com|ps1)(?=\s|$)/i.exec(line);
  return windows?.[0] ?? line.split(/\s/)[0] ?? '';
}

/** How a program that runs packages is told what to run. Options in no list end the search. */
interface Runner {
  readonly ecosystem: ServedPackage['ecosystem'];
  /** Words before the options that make it run a package: `dlx`, `tool run`. */
  readonly verbs: readonly (readonly string[])[];
  readonly flags: readonly string[];
  /** Options whose value is the next argument. */
  readonly valued: readonly string[];
  /** Options whose value is the package. */
  readonly packaged: readonly string[];
}

const ofNpm = {
  ecosystem: 'npm',
  flags: [
    '-y',
    '--yes',
    '-q',
    '--quiet',
    '-s',
    '--silent',
    '--no-install',
    '--prefer-offline',
    '--bun',
  ],
  valued: ['--registry', '--cache', '--prefix', '--userconfig', '--loglevel', '--node-options'],
  packaged: ['-p', '--package'],
} as const;

const ofUv = {
  ecosystem: 'pypi',
  flags: [
    '-q',
    '--quiet',
    '--refresh',
    '--isolated',
    '--no-cache',
    '--offline',
    '--native-tls',
    '-v',
  ],
  valued: [
    '--python',
    '-p',
    '--with',
    '-w',
    '--index-url',
    '-i',
    '--extra-index-url',
    '--index',
  ].concat('--default-index', '--cache-dir', '--refresh-package', '--directory'),
  packaged: ['--from'],
} as const;

const ofDocker: Runner = {
  ecosystem: 'docker',
  verbs: [['run'], ['container', 'run']],
  flags: [
    '-i',
    '-t',
    '-it',
    '-ti',
    '-d',
    '--rm',
    '--init',
    '--interactive',
    '--tty',
    '--detach',
  ].concat('--privileged', '--read-only', '--sig-proxy', '-P'),
  valued: ['-e', '--env', '--env-file', '-v', '--volume', '--name', '--network', '--net', '-p']
    .concat('--publish', '--mount', '-u', '--user', '-w', '--workdir', '--entrypoint', '--add-host')
    .concat(
      '--platform',
      '--pull',
      '-l',
      '--label',
      '-h',
      '--hostname',
      '-m',
      '--memory',
      '--cpus',
    ),
  packaged: [],
};

const runners: Readonly<Record<string, Runner>> = {
  npx: { ...ofNpm, verbs: [[]] },
  pnpx: { ...ofNpm, verbs: [[]] },
  bunx: { ...ofNpm, verbs: [[]] },
  npm: { ...ofNpm, verbs: [['exec'], ['x']] },
  pnpm: { ...ofNpm, verbs: [['dlx']] },
  yarn: { ...ofNpm, verbs: [['dlx']] },
  bun: { ...ofNpm, verbs: [['x']] },
  uvx: { ...ofUv, verbs: [[]] },
  uv: { ...ofUv, verbs: [['tool', 'run']] },
  pipx: { ...ofUv, verbs: [['run']], valued: ['--python', '--index-url'], packaged: ['--spec'] },
  docker: ofDocker,
  podman: ofDocker,
};

/** The package that a command line runs; null where it names none, or none that can be told for sure. */
export function servedPackage(command: string, args: readonly string[]): ServedPackage | null {
  const [program = '', ...rest] = unwrapped(command, args);
  const name = commandName(program) ?? '';
  const runner = Object.hasOwn(runners, name) ? runners[name] : undefined;
  const verb = runner?.verbs.find((words) => words.every((word, at) => rest[at] === word));
  if (runner === undefined || verb === undefined) return null;
  const spec = packageArgument(rest.slice(verb.length), runner);
  return spec === null ? null : parsed[runner.ecosystem](spec);
}

/** The command inside a shell's or `env`'s: one such layer is looked through, where it is plain. */
function unwrapped(command: string, args: readonly string[]): readonly string[] {
  // Some hosts take the whole line as the command.
  if (args.length === 0 && /\S\s+\S/.test(command) && isPlain(command)) {
    const [first = '', ...rest] = command.trim().split(/\s+/);
    return unwrapped(first, rest);
  }
  const name = commandName(command)?.toLowerCase() ?? '';
  const [first = '', line = ''] = args;
  // Windows starts scripts such as npx through its shell.
  if (name === 'cmd' && /^\/[ck]$/i.test(first)) return args.slice(1);
  if (name === 'env') return withoutVariables(args);
  const isShell = /^(sh|bash|zsh|dash)$/.test(name) && /^-l?c$/.test(first);
  return isShell && isPlain(line) ? withoutVariables(line.trim().split(/\s+/)) : [command, ...args];
}

/** In a line with quotes and other signs of the shell a value could be taken for a word. */
const isPlain = (line: string): boolean => /^[\w\s@/.:=,+-]*$/.test(line);

function withoutVariables(words: readonly string[]): readonly string[] {
  const start = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  return start === -1 ? [] : words.slice(start);
}

function packageArgument(args: readonly string[], runner: Runner): string | null {
  for (let at = 0; at < Math.min(args.length, 64); at += 1) {
    const argument = args[at] ?? '';
    if (!argument.startsWith('-')) return argument;
    if (argument === '--') return args[at + 1] ?? null;
    const [option = '', value] = argument.split(/=(.*)/s);
    if (runner.packaged.includes(option)) return value ?? args[at + 1] ?? null;
    if (value !== undefined || runner.flags.includes(option)) continue;
    if (!runner.valued.includes(option)) return null;
    at += 1;
  }
  return null;
}

/** Names and versions in small letters only, as registries ask for: what has capitals may be a key. */
const parsed: Readonly<Record<ServedPackage['ecosystem'], (spec: string) => ServedPackage | null>> =
  {
    npm(spec) {
      const [, name, version] =
        /^((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)(?:@(.*))?$/s.exec(spec) ?? [];
      if (name === undefined || name.length > 214) return null;
      const pinned = exact(version, /^v?(\d+\.\d+\.\d+(?:-[0-9a-z.-]{1,40})?)$/);
      const [scope, short] = name.startsWith('@') ? name.split('/') : [null, name];
      return served('npm', name, pinned, { namespace: scope ?? null, short: short ?? name });
    },
    pypi(spec) {
      const [, name, sign, version] =
        /^([a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?)(?:\[[^\]]*\])?(?:(@|==|[~!<>]=?)(.*))?$/s.exec(
          spec,
        ) ?? [];
      if (name === undefined || /\.(py|git|zip|whl)$/i.test(name)) return null;
      const isPin = sign === '@' || sign === '==';
      const form = /^(\d+(?:\.\d+){0,4}(?:(?:a|b|rc|\.post|\.dev)\d+)?)$/;
      const pinned = isPin ? exact(version, form) : null;
      const normal = name.replace(/[-_.]+/g, '-');
      return served('pypi', normal, pinned, { namespace: null, short: normal });
    },
    docker(spec) {
      const [, registry, name, tag] =
        /^(?:([a-z0-9-]+(?:\.[a-z0-9-]+)+|localhost)(?::\d+)?\/)?([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::([\w][\w.-]{0,127}))?(?:@sha256:[0-9a-f]{64})?$/.exec(
          spec,
        ) ?? [];
      if (name === undefined || name.length > 255) return null;
      const pinned = exact(tag, /^(v?\d+(?:\.\d+){1,3})$/);
      const at = name.lastIndexOf('/');
      const namespace = at === -1 ? null : name.slice(0, at);
      return served('docker', name, pinned, { namespace, short: name.slice(at + 1), registry });
    },
  };

/** A version that can be no secret by its form; anything else counts as not pinned. */
function exact(version: string | undefined, form: RegExp): string | null {
  return form.exec(version ?? '')?.[1] ?? null;
}

function served(
  ecosystem: ServedPackage['ecosystem'],
  name: string,
  version: string | null,
  url: { namespace: string | null; short: string; registry?: string | undefined },
): ServedPackage {
  const qualifiers = url.registry === undefined ? null : { repository_url: url.registry };
  const { namespace, short } = url;
  const purl = writePackageUrl({ type: ecosystem, namespace, name: short, version, qualifiers });
  return { ecosystem, name, version, purl };
}

/**
 * The host of an http or ws URL, lower case, without user, port, path, query, fragment and the dot of a
 * full name. null when it is none, or when a raw sign in the user part makes it doubtful what the host is.
 */
export function urlHost(text: string): string | null {
  if (text.length > 4096 || !/^\s*(https?|wss?):\/\//i.test(text)) return null;
  try {
    const hostname = new URL(text).hostname.replace(/\.$/, '');
    const isFull = /^([a-z0-9_-]+\.)+[a-z0-9-]+$|^\[[0-9a-f:.]+\]$/.test(hostname);
    const isHost = isFull || (/^[a-z0-9_-]+$/.test(hostname) && !text.includes('@'));
    return isHost && hostname.length <= 253 ? hostname : null;
  } catch {
    return null;
  }
}
