/**
 * The policy document: its types, its schema, and the way from YAML to a checked value. A document
 * that is wrong anywhere is refused whole, with line, column and what was expected. Dates stay the
 * text the author wrote plus a zone; `dates.ts` turns them into instants. The author's form has one
 * value or a list of them wherever the typed form has a list.
 */
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { toolKinds, type Catalogue } from './catalogue.js';
import {
  channels,
  componentStates,
  platforms,
  scopes,
  type Channel,
  type ComponentState,
  type Platform,
  type Scope,
} from './component.js';
import { complete } from './complete.js';
import { denialFieldNames, findFaults } from './lint.js';
import { reportChoices, type ReportChoices } from './reporting.js';
import { shapeFaults, withoutUnknownFields, type Fault } from './shape.js';
import { readSource, type Source } from './source.js';

export const decisions = ['approve', 'allow', 'review', 'deny'] as const;
export type Decision = (typeof decisions)[number];

/** What is done, mildest first; the order is the meaning of "stronger". */
export const actions = ['observe', 'notify', 'block', 'remove'] as const;
export type Action = (typeof actions)[number];

export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** A day (YYYY-MM-DD, begins at 00:00 in the policy's zone) or an instant with offset (RFC 3339). */
export type PolicyDate = string;

/** Language tag (en, zh-CN) to text. */
export type Text = Readonly<Record<string, string>>;

export interface Match {
  readonly tool?: readonly string[];
  readonly kind?: readonly string[];
  readonly vendor?: readonly string[];
  readonly provider?: readonly string[];
  readonly channel?: readonly Channel[];
  /** Ecosystem (npm, pypi, homebrew, editor-extension ...) to whole package names. */
  readonly package?: Readonly<Record<string, readonly string[]>>;
  readonly path?: readonly string[];
  readonly publisher?: readonly string[];
  readonly owner?: readonly string[];
  readonly scope?: readonly Scope[];
  readonly state?: readonly ComponentState[];
  /** A range in the ecosystem's own notation or `vers:`. */
  readonly version?: string;
  readonly gateway?: readonly string[];
  readonly running?: boolean;
}

/** The part that a denying rule and a denying default share. */
export interface Denial {
  readonly severity: Severity;
  readonly announce: PolicyDate | null;
  readonly effective: PolicyDate;
  readonly before: Extract<Action, 'observe' | 'notify'>;
  readonly after: Action;
  readonly reason: Text;
  readonly evidence: readonly string[];
  readonly replacement: { readonly tool: string; readonly guide: string | null } | null;
}

export interface Rule {
  readonly id: string;
  readonly match: Match;
  readonly decision: Decision;
  /** Present exactly when `decision` is deny. */
  readonly denial: Denial | null;
}

export interface Policy {
  readonly policy: string;
  readonly title: string;
  /** An IANA zone, `utc` or `device-local`; null only in a document without plain dates. */
  readonly timezone: string | null;
  readonly default: {
    readonly decision: Extract<Decision, 'allow' | 'review' | 'deny'>;
    readonly denial: Denial | null;
  };
  readonly rules: readonly Rule[];
  readonly targets: {
    readonly groups: readonly string[] | null;
    readonly os: readonly Platform[] | null;
    readonly percent: number | null;
  };
  /** What leaves a device of four kinds of finds that no rule decided. */
  readonly report: ReportChoices;
}

/** One thing wrong with a document. Lines and columns count from 1. */
export interface PolicyProblem {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly column: number;
  /** The field's path: `rules[1].effective`. */
  readonly field: string;
  readonly message: string;
}

export type ParsedPolicy =
  | {
      readonly kind: 'policy';
      readonly policy: Policy;
      readonly warnings: readonly PolicyProblem[];
    }
  | { readonly kind: 'invalid'; readonly problems: readonly PolicyProblem[] };

/** The names under which a rule may speak of a package: a channel, or the manager of a `package`. */
export const ecosystems = [
  'npm',
  'pypi',
  'homebrew',
  'editor-extension',
  'jetbrains-plugin',
  'browser-extension',
  'application',
  'executable',
  'mcp',
  'model',
  'service',
  'dpkg',
  'rpm',
  'apk',
  'pacman',
  'snap',
  'flatpak',
  'winget',
  'scoop',
  'chocolatey',
] as const;
export type Ecosystem = (typeof ecosystems)[number];

const strict = { additionalProperties: false } as const;
const about = (description: string) => ({ description });
const line = (description: string, maxLength = 200) =>
  Type.String({ description, minLength: 1, maxLength, pattern: '^\\S(.*\\S)?$' });
const idOf = (description: string) =>
  Type.String({ description, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' });
const oneOrMany = <T extends Type.TSchema>(item: T, description: string) =>
  Type.Optional(
    Type.Union([item, Type.Array(item, { minItems: 1, maxItems: 500, description })], {
      description,
    }),
  );

const text = Type.Record(
  Type.String({ pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$' }),
  Type.String({ minLength: 1, maxLength: 4000 }),
  {
    ...strict,
    minProperties: 1,
    description: 'A text in one language or several: language tag (en, zh-CN) to text.',
  },
);
const date = (description: string) =>
  Type.Optional(
    Type.String({
      maxLength: 40,
      description: `${description} A day (2026-07-10, begins at 00:00 in the policy's timezone) or an instant with offset (2026-07-10T09:00:00+08:00).`,
    }),
  );
const url = line('A web address that begins with https:// or http://', 2000);

const packageNames = Object.fromEntries(
  ecosystems.map((name) => [name, oneOrMany(line('A whole package name'), `Names in ${name}.`)]),
) as Record<Ecosystem, ReturnType<typeof oneOrMany<Type.TString>>>;

const matchSchema = Type.Object(
  {
    tool: oneOrMany(idOf('The id of a tool in the catalogue'), 'Tools of the catalogue, by id.'),
    kind: oneOrMany(Type.Enum([...toolKinds]), 'What kind of tool it is.'),
    vendor: oneOrMany(line('The name of a vendor'), 'Who makes the tool.'),
    provider: oneOrMany(line('The id of a model provider'), 'Whose models the tool talks to.'),
    channel: oneOrMany(Type.Enum([...channels]), 'How it got onto the machine.'),
    package: Type.Optional(
      Type.Object(packageNames, {
        ...strict,
        minProperties: 1,
        description: 'Whole package names by ecosystem; also of what the catalogue does not know.',
      }),
    ),
    path: oneOrMany(
      line('A whole path, with ~ for the home, * within one name and ** across names', 1000),
      'Where it lies: the whole path.',
    ),
    publisher: oneOrMany(line('The name of a publisher or signer'), 'Who published or signed it.'),
    owner: oneOrMany(line('An account name'), 'In whose home it lies.'),
    scope: oneOrMany(Type.Enum([...scopes]), 'Default [global]; a running tool has no scope.'),
    state: oneOrMany(Type.Enum([...componentStates]), 'Default [installed, running].'),
    version: Type.Optional(
      line("A version range, in npm's notation (>=2.1.91 <=2.1.197) or a vers: URI", 512),
    ),
    gateway: oneOrMany(
      line('vendor, third-party, none, or the host of a model endpoint'),
      'The model endpoint the tool is configured for.',
    ),
    running: Type.Optional(Type.Boolean(about('Whether a process of the tool is alive.'))),
  },
  {
    ...strict,
    minProperties: 1,
    description: 'What the rule is about. Fields are joined by and, the values of a list by or.',
  },
);

const denialFields = {
  severity: Type.Optional(Type.Enum([...severities], about('How bad it is; default medium.'))),
  announce: date('When prompts begin; without it, at once.'),
  effective: date('From when it is in force.'),
  before: Type.Optional(
    Type.Enum(['observe', 'notify'], about('What is done until then; default notify.')),
  ),
  after: Type.Optional(Type.Enum([...actions], about('What is done from then on.'))),
  reason: Type.Optional(text),
  evidence: Type.Optional(
    Type.Array(url, { maxItems: 50, description: 'Where the reason can be read up.' }),
  ),
  replacement: Type.Optional(
    Type.Object(
      {
        tool: idOf('The id of a tool in the catalogue'),
        guide: Type.Optional(url),
      },
      { ...strict, description: 'What to use instead, and where the way there is described.' },
    ),
  ),
};
const ruleSchema = Type.Object(
  {
    id: idOf('A name of the rule, unique in the policy: letters, digits, dots, dashes'),
    match: matchSchema,
    decision: Type.Enum([...decisions], about('approve, allow, review (to be looked at) or deny.')),
    ...denialFields,
  },
  { ...strict, description: 'The first rule whose match holds decides, whatever its date.' },
);

const choice = (what: string, byDefault: string) =>
  Type.Optional(
    Type.Enum(
      [...reportChoices],
      about(`${what}: off, count (how many) or report; default ${byDefault}.`),
    ),
  );
const reportSchema = Type.Object(
  {
    mcp: choice('MCP servers that AI hosts are set up to start', 'report'),
    model: choice('Local models', 'off'),
    service: choice('Services that a tool has left to be started', 'off'),
    candidate: choice('What only looks like an AI tool', 'off'),
  },
  {
    ...strict,
    description: 'What devices report of these kinds. What a rule decided is always reported.',
  },
);

/** What an author writes. */
export const PolicyDocument = Type.Object(
  {
    policy: idOf('The id of the policy: letters, digits, dots, dashes'),
    title: line('A title for people'),
    timezone: Type.Optional(
      line(
        'Where a plain date begins: an IANA zone such as Asia/Shanghai, utc, or device-local',
        64,
      ),
    ),
    default: Type.Object(
      { decision: Type.Enum(['allow', 'review', 'deny']), ...denialFields },
      { ...strict, description: 'What holds for AI tools that no rule names.' },
    ),
    rules: Type.Array(ruleSchema, { maxItems: 1000, description: 'Tried in order.' }),
    targets: Type.Optional(
      Type.Object(
        {
          groups: oneOrMany(line('The name of a group of devices'), 'Groups of devices.'),
          os: oneOrMany(Type.Enum([...platforms]), 'Operating systems.'),
          percent: Type.Optional(
            Type.Number({
              minimum: 0,
              maximum: 100,
              description: 'Share of the devices, the same ones every time.',
            }),
          ),
        },
        { ...strict, description: 'Which devices may follow the policy; without it, all.' },
      ),
    ),
    report: Type.Optional(reportSchema),
  },
  strict,
);
export type PolicyDocument = Static<typeof PolicyDocument>;

/** The JSON Schema for editors: the author's form, and that a denial needs its date, action and reason. */
export function policyJsonSchema(): object {
  const schema = structuredClone(PolicyDocument) as unknown as {
    properties: { default: object; rules: { items: object } };
  };
  const isDenial = { properties: { decision: { const: 'deny' } } };
  const onlyDenial = { not: { anyOf: denialFieldNames.map((name) => ({ required: [name] })) } };
  const whenDenied = (required: readonly string[]) => ({
    if: isDenial,
    then: { required },
    else: onlyDenial,
  });
  Object.assign(schema.properties.rules.items, whenDenied(['effective', 'after', 'reason']));
  Object.assign(schema.properties.default, whenDenied(['effective', 'after']));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Curfew policy',
    ...schema,
  };
}

/** More than anybody corrects in one go. */
const mostProblems = 100;

/** Faults with their place in the text, in its order. */
export function placed(faults: readonly Fault[], source: Source): PolicyProblem[] {
  const errors = faults.filter(({ severity }) => severity === 'error');
  const warnings = faults.filter(({ severity }) => severity === 'warning');
  return [...errors, ...warnings]
    .slice(0, mostProblems)
    .map(({ severity, path, message, hint, isKey }) => ({
      severity,
      ...(isKey === true ? source.placeOfKey(path) : source.placeOf(path)),
      field: path
        .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
        .join('')
        .replace(/^\./, ''),
      message: message + (hint?.() ?? ''),
    }))
    .sort((left, right) => left.line - right.line || left.column - right.column);
}

/**
 * A policy from its YAML text, or everything that is wrong with it. With a catalogue, the tools,
 * vendors and providers that it names must be in it.
 */
export function parsePolicy(
  yaml: string,
  options: { readonly catalogue?: Catalogue } = {},
): ParsedPolicy {
  const read = readSource(yaml);
  if (read.kind === 'invalid') {
    const problems = read.problems.map((problem) => ({
      severity: 'error' as const,
      field: '',
      ...problem,
    }));
    return { kind: 'invalid', problems };
  }
  const { source } = read;
  const author = source.value;
  if (!Value.Check(PolicyDocument, author)) {
    const faults = shapeFaults(PolicyDocument, author);
    const rest = withoutUnknownFields(author, faults);
    const further = Value.Check(PolicyDocument, rest)
      ? findFaults(rest, options.catalogue ?? null)
      : [];
    return { kind: 'invalid', problems: placed([...faults, ...further], source) };
  }
  const problems = placed(findFaults(author, options.catalogue ?? null), source);
  if (problems.some(({ severity }) => severity === 'error')) return { kind: 'invalid', problems };
  return { kind: 'policy', policy: complete(author), warnings: problems };
}
