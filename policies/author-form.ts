/**
 * What an author writes: the fields of a policy document with their forms and a sentence on each, from
 * which the checks, their messages and the JSON Schema for editors are made. What the fields mean
 * together is in `lint.ts`, what is left out in `complete.ts`. One value or a list of them may be
 * written wherever the typed form has a list.
 */
import Type, { type Static } from 'typebox';
import { toolKinds } from './catalogue.js';
import { channels, componentStates, platforms, scopes } from './component.js';
import { reportChoices } from './reporting.js';

export const decisions = ['approve', 'allow', 'review', 'deny'] as const;
export type Decision = (typeof decisions)[number];

/** What is done, mildest first; the order is the meaning of "stronger". */
export const actions = ['observe', 'notify', 'block', 'remove'] as const;
export type Action = (typeof actions)[number];

export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

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

/** How long: a number and `day`, `days`, `hour` or `hours`. */
export const durationPattern = '^[1-9]\\d{0,3} (days?|hours?)$';

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
    examples: [{ en: 'Not approved here.', 'zh-CN': '此处未获批准。' }],
  },
);
const date = (description: string) =>
  Type.Optional(
    Type.String({
      maxLength: 40,
      examples: ['2026-07-10', '2026-07-10T09:00:00+08:00'],
      description: `${description} A day (2026-07-10, begins at 00:00 in the policy's timezone) or an instant with offset (2026-07-10T09:00:00+08:00).`,
    }),
  );
/** Whole days or hours; ten years at most. */
const duration = (description: string) =>
  Type.String({
    description: `${description} A number of days or hours, like "3 days" or "24 hours"`,
    pattern: durationPattern,
    examples: ['3 days', '24 hours'],
    maxLength: 16,
  });
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
        examples: [{ npm: '@scope/name' }],
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
  grace: Type.Optional(
    duration('What each device has from its first notice at least, also when that comes late.'),
  ),
  escalate: Type.Optional(
    Type.Object(
      {
        after: duration('Counted from when it came into force on the device.'),
        action: Type.Enum([...actions], about('Stronger than "after".')),
      },
      {
        ...strict,
        description: 'A stronger action later, like block at first and remove then.',
        examples: [{ after: '7 days', action: 'remove' }],
      },
    ),
  ),
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
      {
        ...strict,
        description: 'What to use instead, and where the way there is described.',
        examples: [{ tool: 'qoder', guide: 'https://example.com/migrate' }],
      },
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
    contact: Type.Optional(
      line('Where people ask: an address that begins with https:// or mailto:', 2000),
    ),
    timezone: Type.Optional(
      line(
        'Where a plain date begins: an IANA zone such as Asia/Shanghai, utc, or device-local',
        64,
      ),
    ),
    default: Type.Object(
      {
        decision: Type.Enum(
          ['allow', 'review', 'deny'],
          about('allow, review (to be looked at) or deny (an allow-list: only what a rule names).'),
        ),
        ...denialFields,
      },
      {
        ...strict,
        description: 'What holds for AI tools that no rule names.',
        examples: [{ decision: 'review' }],
      },
    ),
    rules: Type.Array(ruleSchema, { maxItems: 1000, description: 'Tried in order.' }),
    targets: Type.Optional(
      Type.Object(
        {
          groups: oneOrMany(line('The name of a group of devices'), 'Groups of devices.'),
          users: oneOrMany(
            line('A person as the devices name them (AssignedUser)'),
            'Persons whose device it is.',
          ),
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
