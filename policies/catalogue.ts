/**
 * What a tool is: the catalogue of AI tools with every identifier each is known by, and the match
 * from an identifier to a tool. Entries are written as YAML in `catalogue/`, checked and joined into
 * `catalogue.json` by `npm run generate`; both sides use that file. Names match whole, never by
 * substring, and no two entries claim one identifier. The checks are in `catalogue-schema.ts`, so
 * that a scan starts without them.
 */
import builtIn from './catalogue.json' with { type: 'json' };
import type { Channel, Confidence, Platform } from './component.js';

/** The kinds a policy can name. */
export const toolKinds = [
  'coding-agent',
  'ide',
  'editor-plugin',
  'desktop-app',
  'browser',
  'browser-extension',
  'personal-agent',
  'model-runner',
  'gateway',
  'sdk',
  'terminal',
  'other',
] as const;
export type ToolKind = (typeof toolKinds)[number];

/** The identifiers of a tool, per channel. Every list is of whole names, compared as its ecosystem compares. */
export interface Identifiers {
  readonly npm: readonly string[];
  /** Platform packages and vendored parts that belong to an install of `npm` and are never one themselves. */
  readonly npmParts: readonly string[];
  readonly pypi: readonly string[];
  readonly homebrewFormula: readonly string[];
  readonly homebrewCask: readonly string[];
  /** publisher.name, lower case. */
  readonly editorExtension: readonly string[];
  readonly jetbrainsPlugin: readonly string[];
  /** 32 letters a to p for Chromium, the add-on id for Firefox. */
  readonly browserExtension: readonly string[];
  readonly bundleId: readonly string[];
  /** DisplayName of the Windows uninstall key. */
  readonly windowsApp: readonly string[];
  /** File name of the menu entry without `.desktop`. */
  readonly desktopFile: readonly string[];
  readonly dpkg: readonly string[];
  readonly rpm: readonly string[];
  readonly apk: readonly string[];
  readonly pacman: readonly string[];
  readonly snap: readonly string[];
  readonly flatpak: readonly string[];
  readonly winget: readonly string[];
  readonly scoop: readonly string[];
  readonly chocolatey: readonly string[];
  /** Command names that are this tool's alone: a file of that name with no other record is the tool, with low confidence. */
  readonly command: readonly string[];
  /** Command names it shares with others (agent, q, cn): they prove nothing by themselves. */
  readonly genericCommand: readonly string[];
  /**
   * Path of a Go program's main module, as its build information has it
   * (https://pkg.go.dev/runtime/debug#BuildInfo), without a `/v2` at its end.
   */
  readonly goModule: readonly string[];
  /** ASCII text that every build of the program holds and no other program does; at least 12 bytes. */
  readonly contentMarker: readonly string[];
  /** macOS code signature as `TeamID:SigningID`; a team alone signs other programs too. */
  readonly codeSignature: readonly string[];
}

/**
 * A place where the vendor's own installer puts the program: a pattern for the executable's real path.
 * `~` is the owner's home; `{version}` is the version, `*` any text, each within one path segment
 * (a whole one, or part of it as in `qodercli-{version}`). Separators are `/` on every platform.
 */
export interface InstallFolder {
  readonly os: readonly Platform[];
  readonly path: string;
  /** What stands behind it, as `manager` of the component: `native`, `local`, `desktop` ... */
  readonly manager: string;
  /** True for a private copy inside another program, which is `bundled`. */
  readonly bundled: boolean;
}

export interface Tool {
  readonly id: string;
  readonly name: string;
  readonly vendor: string;
  /** Whose models it talks to by default: anthropic, openai, google, alibaba ... */
  readonly provider: readonly string[];
  readonly kind: ToolKind;
  readonly homepage: string | null;
  /** Former or alternative ids; a policy may use them, and findings carry `id`. */
  readonly aliases: readonly string[];
  readonly formerNames: readonly string[];
  readonly identifiers: Identifiers;
  readonly folders: readonly InstallFolder[];
  /** State folders: evidence of past use only. */
  readonly config: readonly string[];
  /** The command a person would type, per way of installing: npm, homebrew, winget, pip, script ... */
  readonly install: Readonly<Record<string, string>>;
  readonly uninstall: Readonly<Record<string, string>>;
}

/** An editor of the VS Code family: data, so that a new fork needs no code. */
export interface EditorHost {
  readonly id: string;
  readonly name: string;
  /** Folder in the home with `extensions/`: `.vscode`, `.cursor`. */
  readonly homeFolder: string;
  /** Folder of user settings and profiles below the platform's configuration folder: `Code`, `Cursor`. */
  readonly configFolder: string | null;
  readonly isServer: boolean;
}

/** A published fault of some versions of a tool, with where that is known from. */
export interface Advisory {
  readonly id: string;
  readonly title: string;
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
  /** Each names a tool and the versions concerned, in the range notation of a policy's `version`. */
  readonly affects: readonly {
    readonly tool: string;
    /** Channels whose version numbers these are; empty: all of the tool's. */
    readonly channels: readonly Channel[];
    readonly versions: string;
  }[];
  /** First version without it, in words; null when none is known. */
  readonly fixed: string | null;
  readonly sources: readonly string[];
  /** How sure the range is. */
  readonly confidence: Confidence;
}

export interface CatalogueDocument {
  /** Format of this file; an unknown number is refused whole. */
  readonly format: 1;
  readonly tools: readonly Tool[];
  readonly editors: readonly EditorHost[];
  readonly advisories: readonly Advisory[];
}

/** A document as it is written and served: what is empty, null or false may be left out. */
export interface WrittenCatalogue extends Pick<CatalogueDocument, 'format' | 'editors'> {
  readonly tools: readonly WrittenTool[];
  readonly advisories?: readonly WrittenAdvisory[];
}

type NamedFields = 'id' | 'name' | 'vendor' | 'provider' | 'kind';
export interface WrittenTool
  extends Pick<Tool, NamedFields>, Partial<Omit<Tool, NamedFields | 'identifiers' | 'folders'>> {
  readonly identifiers?: Partial<Identifiers>;
  readonly folders?: readonly (Omit<InstallFolder, 'bundled'> & { readonly bundled?: boolean })[];
}

export interface WrittenAdvisory extends Omit<Advisory, 'affects' | 'fixed'> {
  readonly affects: readonly (Omit<Advisory['affects'][number], 'channels'> & {
    readonly channels?: readonly Channel[];
  })[];
  readonly fixed?: string | null;
}

/** The channel-specific lists that an identifier can be looked up in. */
export type IdentifierKind = keyof Identifiers;

/** The catalogue with its indexes. Lookups are exact on the ecosystem's normal form of a name. */
export interface Catalogue {
  readonly sha256: string;
  readonly tools: readonly Tool[];
  readonly editors: readonly EditorHost[];
  readonly advisories: readonly Advisory[];
  /** The tool with this id or alias. */
  tool(id: string): Tool | null;
  /** The tool that claims this identifier; `name` may be in any of the ecosystem's spellings. */
  match(kind: IdentifierKind, name: string): Tool | null;
}

/** The lists an entry may have, in the order they are written. */
export const identifierKinds: readonly IdentifierKind[] = [
  'npm',
  'npmParts',
  'pypi',
  'homebrewFormula',
  'homebrewCask',
  'editorExtension',
  'jetbrainsPlugin',
  'browserExtension',
  'bundleId',
  'windowsApp',
  'desktopFile',
  'dpkg',
  'rpm',
  'apk',
  'pacman',
  'snap',
  'flatpak',
  'winget',
  'scoop',
  'chocolatey',
  'command',
  'genericCommand',
  'goModule',
  'contentMarker',
  'codeSignature',
];

/** Ecosystems whose clients compare names without regard to case; all others compare exactly. */
const caseless: ReadonlySet<IdentifierKind> = new Set([
  'editorExtension',
  'winget',
  'scoop',
  'chocolatey',
]);

/**
 * The one spelling under which a name is compared in its ecosystem. PyPI: PEP 503
 * (https://peps.python.org/pep-0503/#normalized-names). On Windows the caller strips `.exe`, `.cmd`
 * and `.ps1` from a command first.
 */
export function normalName(kind: IdentifierKind, name: string): string {
  if (kind === 'pypi') return name.toLowerCase().replace(/[-_.]+/g, '-');
  return caseless.has(kind) ? name.toLowerCase() : name;
}

const none: readonly never[] = Object.freeze([]);
const noCommands: Tool['install'] = Object.freeze({});
const noIdentifiers = Object.freeze(
  Object.fromEntries(identifierKinds.map((kind) => [kind, none])),
) as unknown as Identifiers;

function completeTool(written: WrittenTool): Tool {
  const { id, name, vendor, provider, kind, folders = none } = written;
  return {
    ...{ id, name, vendor, provider, kind },
    homepage: written.homepage ?? null,
    aliases: written.aliases ?? none,
    formerNames: written.formerNames ?? none,
    identifiers: { ...noIdentifiers, ...written.identifiers },
    folders: folders.map((folder) => ({ ...folder, bundled: folder.bundled ?? false })),
    config: written.config ?? none,
    install: written.install ?? noCommands,
    uninstall: written.uninstall ?? noCommands,
  };
}

/** Fills in what was left out. The document has been checked before; all empty lists are one. */
export function completeCatalogue(written: WrittenCatalogue): CatalogueDocument {
  const { format, tools, editors, advisories = none } = written;
  return {
    format,
    tools: tools.map(completeTool),
    editors,
    advisories: advisories.map(({ affects, fixed = null, ...rest }) => ({
      ...rest,
      affects: affects.map(({ channels = none, ...one }) => ({ ...one, channels })),
      fixed,
    })),
  };
}

/**
 * The lookups. The document has been checked before; of two claims the first would win. An index is
 * built when its kind is first asked for: a scan of one home asks for few of them.
 */
export function indexCatalogue(document: CatalogueDocument, sha256: string): Catalogue {
  const { tools, editors, advisories } = document;
  const indexes = new Map<IdentifierKind | 'id', ReadonlyMap<string, Tool>>();
  const indexOf = (kind: IdentifierKind | 'id'): ReadonlyMap<string, Tool> => {
    const known = indexes.get(kind);
    if (known !== undefined) return known;
    const made = new Map<string, Tool>();
    for (const tool of tools) {
      const names = kind === 'id' ? [tool.id, ...tool.aliases] : tool.identifiers[kind];
      for (const name of names) {
        const normal = kind === 'id' ? name : normalName(kind, name);
        if (!made.has(normal)) made.set(normal, tool);
      }
    }
    indexes.set(kind, made);
    return made;
  };
  return {
    ...{ sha256, tools, editors, advisories },
    tool: (id) => indexOf('id').get(id) ?? null,
    match: (kind, name) => indexOf(kind).get(normalName(kind, name)) ?? null,
  };
}

let shared: Catalogue | undefined;

/** The catalogue this build was made with; generated from `catalogue/`, checked when it was. */
export function builtInCatalogue(): Catalogue {
  const written = builtIn.document as unknown as WrittenCatalogue;
  shared ??= indexCatalogue(completeCatalogue(written), builtIn.sha256);
  return shared;
}

const patterns = new WeakMap<InstallFolder, RegExp>();

/** The pattern as an expression on a path with `/`, `~` kept as it stands. */
function patternOf(folder: InstallFolder): RegExp {
  const known = patterns.get(folder);
  if (known !== undefined) return known;
  const source = folder.path
    .split(/(\{version\}|\*)/)
    .map((piece) => {
      if (piece === '{version}') return '(?<version>[^/]+?)';
      return piece === '*' ? '[^/]+' : piece.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    })
    .join('');
  const made = new RegExp(`^${source}$`, folder.os.includes('win32') ? 'i' : '');
  patterns.set(folder, made);
  return made;
}

/**
 * Whether a machine path is in that install folder, and the version its name carries. `home` is the
 * owner's home or null for a machine path; null is "not this place".
 */
export function matchFolder(
  folder: InstallFolder,
  path: string,
  home: string | null,
): { readonly version: string | null } | null {
  const slashed = (text: string): string =>
    folder.os.includes('win32') ? text.replaceAll('\\', '/') : text;
  let name = slashed(path);
  if (folder.path.startsWith('~/')) {
    const below = home === null ? null : `${slashed(home).replace(/\/+$/, '')}/`;
    if (below === null || !name.startsWith(below)) return null;
    name = `~/${name.slice(below.length)}`;
  }
  const found = patternOf(folder).exec(name);
  return found === null ? null : { version: found.groups?.['version'] ?? null };
}
