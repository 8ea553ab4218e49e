/**
 * The one maker of component records: who owns a place, how a path is spelled, the id and the package
 * URL. Two detectors that see one install must get the same record from here, or it counts twice. It
 * reads nothing but the real paths of homes.
 */
import { hash } from 'node:crypto';
import { normalName, type IdentifierKind } from '../../policies/catalogue.js';
import type {
  CandidateReason,
  Channel,
  Component,
  ComponentState,
  Confidence,
  Scope,
} from '../../policies/component.js';
import { writePackageUrl, type PackageUrlParts } from '../../policies/package-url.js';
import type { Home, World } from './index.js';

/** What a detector knows of a find; the rest follows from the path and the ecosystem. */
export interface Found {
  readonly tool: string | null;
  readonly channel: Channel;
  readonly manager: string | null;
  readonly name: string;
  readonly version: string | null;
  /** Where it lies, as listed or as a real path: both give the same record. */
  readonly path: string;
  readonly state: ComponentState;
  readonly confidence: Confidence;
  readonly evidence: readonly string[];
  readonly scope?: Scope;
  /** Set where the channel alone does not say it (deb, rpm, apk ...); null for none at all. */
  readonly purl?: string | null;
  /** Set where the place does not say it, as for a process; else the home it lies in. */
  readonly owner?: string | null;
  readonly publisher?: string | null;
  /** Only with tool null: why it looks like an AI tool. */
  readonly candidate?: readonly CandidateReason[];
}

/** The catalogue's lists behind each ecosystem that a policy can name packages of. */
const kindsOf: Readonly<Record<string, readonly IdentifierKind[]>> = {
  npm: ['npm'],
  pypi: ['pypi'],
  homebrew: ['homebrewFormula', 'homebrewCask'],
  'editor-extension': ['editorExtension'],
  'jetbrains-plugin': ['jetbrainsPlugin'],
  'browser-extension': ['browserExtension'],
  dpkg: ['dpkg'],
  rpm: ['rpm'],
  apk: ['apk'],
  pacman: ['pacman'],
  snap: ['snap'],
  flatpak: ['flatpak'],
  winget: ['winget'],
  scoop: ['scoop'],
  chocolatey: ['chocolatey'],
};

/**
 * Whether a package is reported, and as what: the id of the tool that claims it, null when only a rule
 * names it (`World.named`), `unwanted` for all other software, which is never reported.
 */
export function toolOf(world: World, ecosystem: string, name: string): string | null | 'unwanted' {
  const kinds = kindsOf[ecosystem] ?? [];
  for (const kind of kinds) {
    const tool = world.catalogue.match(kind, name);
    if (tool !== null) return tool.id;
  }
  const named = world.named?.get(ecosystem);
  const isNamed = kinds.some((kind) => named?.has(normalName(kind, name)) === true);
  return isNamed ? null : 'unwanted';
}

/** The homes of a world by their listed and by their real path, looked up once. */
const homeIndexes = new WeakMap<World, ReadonlyMap<string, Home>>();

function indexOf(world: World): ReadonlyMap<string, Home> {
  const known = homeIndexes.get(world);
  if (known !== undefined) return known;
  const looking = world.reader({ within: [] });
  const index = new Map<string, Home>();
  for (const home of world.homes) {
    for (const folder of [looking.realPath(home.path) ?? home.path, home.path]) {
      // Of several accounts with one home the first is its owner.
      const key = keyOf(world, folder);
      if (!index.has(key)) index.set(key, home);
    }
  }
  homeIndexes.set(world, index);
  return index;
}

const keyOf = ({ platform }: World, folder: string): string =>
  platform === 'win32' ? folder.toLowerCase() : folder;

/** The home a path lies in and the spelling under which it does; the innermost if homes nest. */
function homeAbove(world: World, place: string): { home: Home; folder: string } | null {
  const index = indexOf(world);
  let folder = place;
  for (;;) {
    const home = index.get(keyOf(world, folder));
    if (home !== undefined) return { home, folder };
    const above = world.path.dirname(folder);
    if (above === folder) return null;
    folder = above;
  }
}

/** The home a path lies in, by its listed or its real spelling. */
export function homeOf(world: World, place: string): Home | null {
  return homeAbove(world, place)?.home ?? null;
}

/** A real path in the spelling of its owner's home (`/private/tmp/ana/x` -> `/tmp/ana/x`). */
export function spelled(world: World, place: string): string {
  const above = homeAbove(world, place);
  if (above === null || above.folder === above.home.path) return place;
  return world.path.join(above.home.path, world.path.relative(above.folder, place));
}

/** The id of a component: 32 hexadecimal digits over what makes it one and the same install. */
export function componentId(
  channel: Channel,
  name: string,
  place: string,
  owner: string | null,
): string {
  return hash('sha256', JSON.stringify([channel, name, place, owner]), 'hex').slice(0, 32);
}

const longestVersion = 128;

/** One line of text; what is none, as in a record that was damaged, says no version. */
function plainVersion(text: string | null): string | null {
  const version = text?.trim() ?? '';
  const isPlain = version !== '' && version.length <= longestVersion && !/\p{Cc}/u.test(version);
  return isPlain ? version : null;
}

export function makeComponent(world: World, found: Found): Component {
  const place = spelled(world, found.path);
  const owner = found.owner === undefined ? (homeOf(world, place)?.account ?? null) : found.owner;
  const version = plainVersion(found.version);
  // A URL that was made for a version which is none says it too.
  const stated = version === null && found.version !== null ? null : found.purl;
  return {
    id: componentId(found.channel, found.name, place, owner),
    tool: found.tool,
    channel: found.channel,
    manager: found.manager,
    purl: stated === undefined ? packageUrl(found.channel, found.name, version) : stated,
    name: found.name,
    version,
    path: place,
    owner,
    scope: found.scope ?? 'global',
    state: found.state,
    confidence: found.confidence,
    evidence: [...new Set(found.evidence)].sort(),
    ...(found.candidate === undefined ? {} : { candidate: found.candidate }),
    ...(found.publisher === undefined ? {} : { publisher: found.publisher }),
  };
}

/**
 * The package URL of a name in a channel (https://github.com/package-url/purl-spec); null where the
 * channel has no type, or the name is none that its type allows.
 */
export function packageUrl(channel: Channel, name: string, version: string | null): string | null {
  const form = urlForm(channel, name);
  return form === null ? null : writePackageUrl({ ...form, version });
}

function urlForm(channel: Channel, name: string): PackageUrlParts | null {
  const split = (separator: string, isLast: boolean): [string | null, string] => {
    const at = isLast ? name.lastIndexOf(separator) : name.indexOf(separator);
    return at === -1 ? [null, name] : [name.slice(0, at), name.slice(at + 1)];
  };
  if (channel === 'npm') {
    const [namespace, rest] = split('/', false);
    return { type: 'npm', namespace, name: rest };
  }
  if (channel === 'pypi') return { type: 'pypi', namespace: null, name };
  if (channel === 'homebrew') {
    const [namespace, rest] = split('/', true);
    return { type: 'brew', namespace, name: rest };
  }
  if (channel !== 'editor-extension') return null;
  const [namespace, rest] = split('.', false);
  return namespace === null ? null : { type: 'vscode-extension', namespace, name: rest };
}
