/**
 * The author's form of the catalogue, and the way from it to the checked document: schema, parser with
 * field paths, and the search for names claimed twice. A document that is wrong anywhere is refused
 * whole. A scan reads the generated file through `catalogue.ts` and never loads this one.
 */
import Type from 'typebox';
import Value from 'typebox/value';
import { findAdvisoryFaults } from './advisories.js';
import {
  completeCatalogue,
  identifierKinds,
  normalName,
  toolKinds,
  type CatalogueDocument,
  type IdentifierKind,
  type WrittenCatalogue,
} from './catalogue.js';
import { channels, confidences, platforms } from './component.js';
import { errorsOf } from './shape.js';

const strict = { additionalProperties: false };
const word = Type.String({ minLength: 1, maxLength: 200, pattern: '^\\S(.*\\S)?$' });
const idText = Type.String({ maxLength: 64, pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' });

/** What a name looks like in its ecosystem, where a slip of the pen would otherwise match nothing. */
const shapes: Partial<Record<IdentifierKind, string>> = {
  npm: '^(@[a-z0-9._~-]+/)?[A-Za-z0-9._~-]+$',
  npmParts: '^(@[a-z0-9._~-]+/)?[A-Za-z0-9._~-]+$',
  pypi: '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$',
  homebrewFormula: '^[a-z0-9][a-z0-9.+@_-]*$',
  homebrewCask: '^[a-z0-9][a-z0-9.+@_-]*$',
  editorExtension: '^[a-z0-9-]+\\.[a-z0-9._-]+$',
  browserExtension: '^([a-p]{32}|\\{[0-9a-f-]{36}\\}|[^\\s@]*@[^\\s@]+)$',
  bundleId: '^[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*$',
  winget: '^[^.\\s]+(\\.[^.\\s]+)+$',
  command: '^[A-Za-z0-9._-]+$',
  genericCommand: '^[A-Za-z0-9._-]+$',
  goModule: '^[a-z0-9.-]+\\.[a-z]+(/[A-Za-z0-9._-]+)+$',
  contentMarker: '^[ -~]{12,200}$',
  codeSignature: '^[A-Z0-9]{10}:[A-Za-z0-9._-]+$',
};

const names = (kind: IdentifierKind) =>
  Type.Array(shapes[kind] === undefined ? word : Type.String({ pattern: shapes[kind] }), {
    maxItems: 64,
  });

const identifiersSchema = Type.Partial(
  Type.Object({
    npm: names('npm'),
    npmParts: names('npmParts'),
    pypi: names('pypi'),
    homebrewFormula: names('homebrewFormula'),
    homebrewCask: names('homebrewCask'),
    editorExtension: names('editorExtension'),
    jetbrainsPlugin: names('jetbrainsPlugin'),
    browserExtension: names('browserExtension'),
    bundleId: names('bundleId'),
    windowsApp: names('windowsApp'),
    desktopFile: names('desktopFile'),
    dpkg: names('dpkg'),
    rpm: names('rpm'),
    apk: names('apk'),
    pacman: names('pacman'),
    snap: names('snap'),
    flatpak: names('flatpak'),
    winget: names('winget'),
    scoop: names('scoop'),
    chocolatey: names('chocolatey'),
    command: names('command'),
    genericCommand: names('genericCommand'),
    goModule: names('goModule'),
    contentMarker: names('contentMarker'),
    codeSignature: names('codeSignature'),
  }),
  strict,
);

/** Whether a value is a name as this build knows them in that list; what other lists hold is not asked. */
export function fitsName(kind: IdentifierKind, name: unknown): boolean {
  if (!identifierKinds.includes(kind) || typeof name !== 'string') return true;
  return Value.Check(names(kind).items, name);
}

const folderSchema = Type.Object(
  {
    os: Type.Array(Type.Enum([...platforms]), { minItems: 1 }),
    path: Type.String({ pattern: '^(~|[A-Z]:)?/[^\\\\]+[^\\\\/]$' }),
    manager: idText,
    bundled: Type.Optional(Type.Boolean()),
  },
  strict,
);

const commands = Type.Optional(Type.Record(idText, word));

export const toolSchema = Type.Object(
  {
    id: idText,
    name: word,
    vendor: word,
    provider: Type.Array(idText, { minItems: 1 }),
    kind: Type.Enum([...toolKinds]),
    homepage: Type.Optional(
      Type.Union([Type.String({ pattern: '^https://[^\\s]+$' }), Type.Null()]),
    ),
    aliases: Type.Optional(Type.Array(idText)),
    formerNames: Type.Optional(Type.Array(word)),
    identifiers: Type.Optional(identifiersSchema),
    folders: Type.Optional(Type.Array(folderSchema)),
    config: Type.Optional(Type.Array(word)),
    install: commands,
    uninstall: commands,
  },
  strict,
);

export const editorSchema = Type.Object(
  {
    id: idText,
    name: word,
    homeFolder: Type.String({ pattern: '^\\.[a-z0-9.-]+$' }),
    configFolder: Type.Union([word, Type.Null()]),
    isServer: Type.Boolean(),
  },
  strict,
);

export const advisorySchema = Type.Object(
  {
    id: Type.String({ maxLength: 64, pattern: '^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$' }),
    title: word,
    severity: Type.Enum(['low', 'medium', 'high', 'critical']),
    affects: Type.Array(
      Type.Object(
        {
          tool: idText,
          channels: Type.Optional(Type.Array(Type.Enum([...channels]))),
          versions: word,
        },
        strict,
      ),
      { minItems: 1 },
    ),
    fixed: Type.Optional(Type.Union([word, Type.Null()])),
    sources: Type.Array(word, { minItems: 1 }),
    confidence: Type.Enum([...confidences]),
  },
  strict,
);

/** More entries than any catalogue has; a longer list is refused before anything in it is looked at. */
const mostEntries = { tools: 2000, editors: 200, advisories: 2000 } as const;

/** What an author writes, files joined: every list may be left out. A complete document fits it too. */
export const catalogueSchema = Type.Object(
  {
    format: Type.Literal(1),
    tools: Type.Array(toolSchema, { maxItems: mostEntries.tools }),
    editors: Type.Array(editorSchema, { maxItems: mostEntries.editors }),
    advisories: Type.Optional(Type.Array(advisorySchema, { maxItems: mostEntries.advisories })),
  },
  strict,
);

/** One thing wrong: the field's path (`tools[3].identifiers.npm[0]`, with the tool's id) and why. */
export interface CatalogueProblem {
  readonly field: string;
  readonly message: string;
}

export type ParsedCatalogue =
  | { readonly kind: 'catalogue'; readonly document: CatalogueDocument }
  | { readonly kind: 'invalid'; readonly problems: readonly CatalogueProblem[] };

/** `/tools/3/kind` -> `tools[3].kind (claude-code)`. */
function fieldOf(pointer: string, value: unknown): string {
  const steps = pointer.split('/').slice(1);
  const field = steps.map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`)).join('');
  const [list, index] = steps;
  const entry: unknown =
    list === undefined || index === undefined
      ? undefined
      : Value.Pointer.Get(value, `/${list}/${index}`);
  const id = typeof entry === 'object' && entry !== null && 'id' in entry ? entry.id : undefined;
  return `${field.replace(/^\./, '')}${typeof id === 'string' ? ` (${id})` : ''}`;
}

const mostProblems = 100;
/** Of which some speak of a form that was not meant. */
const mostErrors = 1000;

/** Lists that are longer than any catalogue's. */
export function overlongLists(value: unknown): CatalogueProblem[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(mostEntries).flatMap(([field, most]) => {
    const list = (value as Readonly<Record<string, unknown>>)[field];
    if (!Array.isArray(list) || list.length <= most) return [];
    return [{ field, message: `has ${list.length} entries; there may be ${most}` }];
  });
}

function problemsOf(value: unknown): CatalogueProblem[] {
  const some = problemsAmong(value, mostErrors);
  // Of a document of nothing but unknown fields the words come last.
  return some.length > 0 ? some : problemsAmong(value);
}

function problemsAmong(value: unknown, most?: number): CatalogueProblem[] {
  return errorsOf(catalogueSchema, value, most)
    .filter((error) => error.keyword !== 'boolean')
    .slice(0, mostProblems)
    .map((error) => {
      const field = fieldOf(error.instancePath, value);
      switch (error.keyword) {
        case 'additionalProperties':
          return {
            field,
            message: `unknown field ${error.params.additionalProperties.join(', ')}`,
          };
        case 'enum':
          return { field, message: `must be one of ${error.params.allowedValues.join(', ')}` };
        case 'pattern':
          return {
            field,
            message: `is not written like such a name: ${String(error.params.pattern)}`,
          };
        default:
          return { field, message: error.message };
      }
    });
}

/**
 * Checks a whole catalogue and fills in what was left out. Refused: a wrong field anywhere, a name
 * or id claimed by two tools, an advisory that fits no tool, an unknown format number.
 */
export function parseCatalogue(value: unknown): ParsedCatalogue {
  const overlong = overlongLists(value);
  if (overlong.length > 0) return { kind: 'invalid', problems: overlong };
  if (!Value.Check(catalogueSchema, value)) return { kind: 'invalid', problems: problemsOf(value) };
  const document = completeCatalogue(value);
  const claimed = findConflicts(document).map(({ kind, name, tools }) => ({
    field: `${kind}: ${name}`,
    message: `is claimed by ${tools.join(' and ')}; one name belongs to one tool`,
  }));
  const problems = [...claimed, ...findAdvisoryFaults(document)];
  return problems.length === 0 ? { kind: 'catalogue', document } : { kind: 'invalid', problems };
}

type Fields = Readonly<Record<string, unknown>>;

function isEmpty(value: unknown): boolean {
  if (value === null || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

const withoutEmpty = (fields: object): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));

/**
 * The form in which a document is kept in a file and served: what `completeCatalogue` fills in again
 * is left out, in a fixed order, so that one document has one text and one hash.
 */
export function sparseCatalogue(document: CatalogueDocument): WrittenCatalogue {
  const { format, tools, editors, advisories } = document;
  const sparse = {
    format,
    tools: tools.map((tool) => {
      const identifiers = withoutEmpty(tool.identifiers);
      return withoutEmpty({ ...tool, identifiers, folders: tool.folders.map(withoutEmpty) });
    }),
    editors,
    advisories: advisories.map((advisory) =>
      withoutEmpty({ ...advisory, affects: advisory.affects.map(withoutEmpty) }),
    ),
  };
  return sparse as unknown as WrittenCatalogue;
}

/** A name that two entries claim, or one entry twice. */
export interface Conflict {
  readonly kind: IdentifierKind | 'id' | 'editor';
  readonly name: string;
  readonly tools: readonly string[];
}

/** Lists that are looked up side by side share one space of names. */
const spaceOf = (kind: IdentifierKind): IdentifierKind =>
  kind === 'npmParts' ? 'npm' : kind === 'genericCommand' ? 'command' : kind;

export function findConflicts(document: CatalogueDocument): Conflict[] {
  const claims = new Map<string, { kind: Conflict['kind']; name: string; tools: string[] }>();
  const claim = (kind: Conflict['kind'], name: string, tool: string): void => {
    const key = JSON.stringify([kind, name]);
    const known = claims.get(key);
    if (known === undefined) claims.set(key, { kind, name, tools: [tool] });
    else known.tools.push(tool);
  };
  for (const tool of document.tools) {
    for (const id of [tool.id, ...tool.aliases]) claim('id', id, tool.id);
    for (const kind of identifierKinds) {
      for (const name of tool.identifiers[kind]) {
        claim(spaceOf(kind), normalName(kind, name), tool.id);
      }
    }
  }
  for (const editor of document.editors) {
    claim('editor', editor.id, editor.id);
    claim('editor', editor.homeFolder, editor.id);
  }
  return [...claims.values()].filter(({ tools }) => tools.length > 1);
}
