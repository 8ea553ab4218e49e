/**
 * The cases beside a policy, `NAME.test.yaml` beside `NAME.yaml`: a component on a device at a time, and
 * the verdict that is expected of it. Types, schema and the way from YAML to checked cases; running them
 * is in `test-runs.ts`. A file that is wrong anywhere is refused whole, with line and column.
 */
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import type { Catalogue } from './catalogue.js';
import { channels, componentStates, confidences, platforms, scopes } from './component.js';
import { checkDate, isZone } from './dates.js';
import { actions, placed, severities, type Policy, type PolicyProblem } from './document.js';
import { verdictStatuses } from './evaluate.js';
import { suggestion } from './nearest.js';
import { shapeFaults, type Fault } from './shape.js';
import { readSource, type Step } from './source.js';

const strict = { additionalProperties: false } as const;
const about = (description: string) => ({ description });
const line = (description: string, maxLength = 200) =>
  Type.String({ description, minLength: 1, maxLength, pattern: '^\\S(.*\\S)?$' });
const date = (description: string) =>
  Type.String({
    maxLength: 40,
    description: `${description} A day (2026-07-10, from 00:00 in the policy's timezone) or an instant with offset (2026-07-10T09:00:00+08:00).`,
  });
const nullable = <T extends Type.TSchema>(schema: T, description: string) =>
  Type.Optional(Type.Union([Type.Null(), schema], about(description)));

const ComponentCase = Type.Object(
  {
    tool: Type.Optional(
      line('The id of a tool in the catalogue; left out for what it does not know'),
    ),
    channel: Type.Optional(
      Type.Enum([...channels], about("How it got onto the machine; default the tool's first.")),
    ),
    manager: Type.Optional(line('What stands behind the channel: nvm, pnpm, dpkg, winget ...', 64)),
    name: Type.Optional(line("Its whole name in the channel; default the tool's own", 256)),
    version: Type.Optional(line('Its version; left out where none can be read', 128)),
    purl: Type.Optional(line('Its package URL', 512)),
    path: Type.Optional(line("Where it lies; ~ is the user's home", 1000)),
    owner: nullable(line('The account in whose home it lies', 256), "Default the device's user."),
    scope: Type.Optional(Type.Enum([...scopes], about('Default global.'))),
    state: Type.Optional(Type.Enum([...componentStates], about('Default installed.'))),
    confidence: Type.Optional(Type.Enum([...confidences], about('Default high.'))),
    gateway: nullable(
      line('The host of its model endpoint', 253),
      'Left out for none; null where nobody can tell.',
    ),
    publisher: Type.Optional(line('Who published or signed it', 256)),
    running: Type.Optional(Type.Boolean(about('Whether a process of it is alive; default false.'))),
  },
  { ...strict, minProperties: 1, description: 'What is found on the device.' },
);
export type ComponentCase = Static<typeof ComponentCase>;

const DeviceCase = Type.Object(
  {
    id: Type.Optional(line('Its id; without one a percentage of devices always includes it', 64)),
    hardwareId: Type.Optional(line('Its hardware id', 128)),
    os: Type.Optional(
      Type.Enum([...platforms], about("Default the first of the policy's targets.")),
    ),
    group: nullable(line('The group it is in', 128), "Default the first of the policy's targets."),
    user: Type.Optional(line('The account whose tools are looked at', 256)),
    person: Type.Optional(line('The person behind the account; default the user', 256)),
    zone: Type.Optional(line("Its IANA time zone; default the policy's", 64)),
    maxAction: Type.Optional(
      Type.Enum([...actions], about('The most that may be done there; default remove.')),
    ),
  },
  { ...strict, description: 'Where it is found.' },
);
export type DeviceCase = Static<typeof DeviceCase>;

const ExceptionCase = Type.Object(
  {
    tool: line('The id of a tool in the catalogue'),
    person: Type.Optional(line('Who may keep it', 256)),
    device: Type.Optional(line('The id of the device that may', 64)),
    hardwareId: Type.Optional(line('The hardware id of the device that may', 128)),
    from: Type.Optional(date('The first instant at which it holds; default at once.')),
    until: date('The first instant at which it no longer holds.'),
  },
  { ...strict, description: 'Somebody may keep a tool until a date.' },
);
export type ExceptionCase = Static<typeof ExceptionCase>;

const Expected = Type.Object(
  {
    status: Type.Optional(Type.Enum([...verdictStatuses], about('The verdict.'))),
    rule: Type.Optional(line('The id of the deciding rule, or default')),
    action: Type.Optional(Type.Enum([...actions], about('What the policy asks for.'))),
    effectiveAction: Type.Optional(
      Type.Enum([...actions], about("The same under the device's maxAction.")),
    ),
    announce: Type.Optional(date('From when people are told.')),
    effective: Type.Optional(date('From when it is in force.')),
    graceUntil: Type.Optional(date('Until when the device has grace.')),
    escalates: Type.Optional(date('From when the later, stronger action is asked for.')),
    daysLeft: Type.Optional(Type.Integer(about("Calendar days in the policy's zone."))),
    severity: Type.Optional(Type.Enum([...severities], about('How bad it is.'))),
    replacement: Type.Optional(line('The id of the tool to use instead')),
    follows: Type.Optional(
      Type.Boolean(about('Whether the device is one of the policy, by its targets; default true.')),
    ),
  },
  {
    ...strict,
    minProperties: 1,
    description: 'What must come out; what is left out may be anything.',
  },
);
export type Expected = Static<typeof Expected>;

const mostTimes = 100;
const Case = Type.Object(
  {
    name: line('What the case shows, in a sentence'),
    component: ComponentCase,
    device: Type.Optional(DeviceCase),
    exceptions: Type.Optional(Type.Array(ExceptionCase, { maxItems: 100 })),
    notices: Type.Optional(
      Type.Record(Type.String(), date('When the device was first told of the rule.'), {
        minProperties: 1,
        maxProperties: 100,
        description:
          'Rule id to the date at which the device was first told of it: grace counts from there.',
      }),
    ),
    at: Type.Optional(
      Type.Union([date('When.'), Type.Array(date('When.'), { minItems: 1, maxItems: mostTimes })]),
    ),
    expect: Type.Optional(Expected),
    times: Type.Optional(
      Type.Array(Type.Object({ at: date('When.'), expect: Expected }, strict), {
        minItems: 1,
        maxItems: mostTimes,
        description: 'Several times, each with what is expected then; instead of at and expect.',
      }),
    ),
  },
  strict,
);
export type Case = Static<typeof Case>;

/** What an author writes. */
export const CaseDocument = Type.Object(
  {
    policy: Type.Optional(
      line(
        'The policy file, from the folder of this one; default NAME.yaml of NAME.test.yaml',
        400,
      ),
    ),
    device: Type.Optional(DeviceCase),
    cases: Type.Array(Case, { minItems: 1, maxItems: 2000, description: 'Tried one by one.' }),
  },
  strict,
);
export type CaseDocument = Static<typeof CaseDocument>;

export type ParsedCases =
  | { readonly kind: 'cases'; readonly document: CaseDocument }
  | { readonly kind: 'invalid'; readonly problems: readonly PolicyProblem[] };

/** The JSON Schema for editors. */
export function casesJsonSchema(): object {
  const schema = structuredClone(CaseDocument) as unknown as {
    properties: { cases: { items: object } };
  };
  const either = [{ required: ['at', 'expect'] }, { required: ['times'] }];
  Object.assign(schema.properties.cases.items, { oneOf: either });
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Test cases of a Curfew policy',
    ...schema,
  };
}

/** The policy file that a text of cases names; null where it names none or cannot be read. */
export function policyNamedIn(yaml: string): string | null {
  const read = readSource(yaml);
  const value = read.kind === 'source' ? read.source.value : null;
  const named = typeof value === 'object' && value !== null ? Reflect.get(value, 'policy') : null;
  return typeof named === 'string' ? named : null;
}

/** The cases of a text, judged against the policy they are of; or everything that is wrong with them. */
export function parseCases(
  yaml: string,
  context: { readonly policy: Policy; readonly catalogue: Catalogue },
): ParsedCases {
  const read = readSource(yaml);
  if (read.kind === 'invalid') {
    const problems = read.problems.map((problem) => ({
      severity: 'error' as const,
      field: '',
      ...problem,
    }));
    return { kind: 'invalid', problems };
  }
  const { value } = read.source;
  const faults = Value.Check(CaseDocument, value)
    ? caseFaults(value, context)
    : shapeFaults(CaseDocument, value);
  if (faults.length > 0) return { kind: 'invalid', problems: placed(faults, read.source) };
  return { kind: 'cases', document: value as CaseDocument };
}

interface Context {
  readonly policy: Policy;
  readonly catalogue: Catalogue;
}

type Path = readonly Step[];

const fault = (path: Path, message: string, hint?: () => string): Fault => ({
  severity: 'error',
  path,
  message,
  ...(hint === undefined ? {} : { hint }),
});

function caseFaults(document: CaseDocument, context: Context): Fault[] {
  const first = new Map<string, number>();
  return [
    ...deviceFaults(document.device, ['device']),
    ...document.cases.flatMap((one, at) => {
      const path = ['cases', at];
      const before = first.get(one.name);
      if (before === undefined) first.set(one.name, at);
      const twice = `cases[${before}] has the name "${one.name}" already`;
      return [
        ...(before === undefined ? [] : [fault([...path, 'name'], twice)]),
        ...componentFaults(one.component, [...path, 'component'], context),
        ...deviceFaults(one.device, [...path, 'device']),
        ...(one.exceptions ?? []).flatMap((exception, index) =>
          exceptionFaults(exception, [...path, 'exceptions', index], context),
        ),
        ...noticeFaults(one.notices ?? {}, [...path, 'notices'], context),
        ...timeFaults(one, path, context),
      ];
    }),
  ];
}

function toolFaults(id: string | undefined, path: Path, { catalogue }: Context): Fault[] {
  if (id === undefined || catalogue.tool(id) !== null) return [];
  const ids = catalogue.tools.flatMap((tool) => [tool.id, ...tool.aliases]);
  return [fault(path, `the catalogue has no tool "${id}"`, () => suggestion(id, ids))];
}

function componentFaults(component: ComponentCase, path: Path, context: Context): Fault[] {
  const { tool, name, channel } = component;
  if (tool === undefined && (name === undefined || channel === undefined)) {
    const message =
      'a component needs a "tool", or "channel" and "name" of what no catalogue knows';
    return [fault(path, message)];
  }
  return toolFaults(tool, [...path, 'tool'], context);
}

function deviceFaults(device: DeviceCase | undefined, path: Path): Fault[] {
  const zone = device?.zone;
  if (zone === undefined || (isZone(zone) && zone !== 'device-local')) return [];
  const message = `expected an IANA zone such as Asia/Shanghai; found "${zone}"`;
  return [
    fault([...path, 'zone'], message, () => suggestion(zone, Intl.supportedValuesOf('timeZone'))),
  ];
}

function exceptionFaults(exception: ExceptionCase, path: Path, context: Context): Fault[] {
  const { tool, person, device, hardwareId, from, until } = exception;
  const isForNobody = person === undefined && device === undefined && hardwareId === undefined;
  const nobody = 'an exception names a "person", a "device" or a "hardwareId"';
  return [
    ...toolFaults(tool, [...path, 'tool'], context),
    ...(isForNobody ? [fault(path, nobody)] : []),
    ...dateFaults(from, [...path, 'from'], context),
    ...dateFaults(until, [...path, 'until'], context),
  ];
}

/** A date as the policy's own may be: a day needs the policy's timezone. */
function dateFaults(text: string | undefined, path: Path, { policy }: Context): Fault[] {
  if (text === undefined) return [];
  const checked = checkDate(text);
  if (checked.kind === 'invalid') return [fault(path, checked.message)];
  if (checked.kind === 'instant' || policy.timezone !== null) return [];
  const message = `the policy has no timezone in which the day ${text} begins; write an instant with offset`;
  return [fault(path, message)];
}

function timeFaults({ at, expect, times }: Case, path: Path, context: Context): Fault[] {
  if (times === undefined) {
    const missing = [
      ...(at === undefined ? ['at'] : []),
      ...(expect === undefined ? ['expect'] : []),
    ];
    if (missing.length > 0) {
      const message = `missing field "${missing.join('" and "')}": a case has at and expect, or times`;
      return [fault(path, message)];
    }
  } else if (at !== undefined || expect !== undefined) {
    return [fault([...path, 'times'], 'a case has at and expect, or times, never both')];
  }
  return [
    ...(Array.isArray(at) ? at : [at]).flatMap((text, index) =>
      dateFaults(text, Array.isArray(at) ? [...path, 'at', index] : [...path, 'at'], context),
    ),
    ...expectedFaults(expect, [...path, 'expect'], context),
    ...(times ?? []).flatMap((one, index) => [
      ...dateFaults(one.at, [...path, 'times', index, 'at'], context),
      ...expectedFaults(one.expect, [...path, 'times', index, 'expect'], context),
    ]),
  ];
}

function ruleFaults(rule: string, path: Path, { policy }: Context, isKey = false): Fault[] {
  const ids = [...policy.rules.map(({ id }) => id), 'default'];
  if (ids.includes(rule)) return [];
  const found = fault(path, `the policy has no rule "${rule}"`, () => suggestion(rule, ids));
  return [{ ...found, isKey }];
}

function noticeFaults(notices: Readonly<Record<string, string>>, path: Path, context: Context) {
  return Object.entries(notices).flatMap(([rule, text]) => [
    ...ruleFaults(rule, [...path, rule], context, true),
    ...dateFaults(text, [...path, rule], context),
  ]);
}

/** Fields of a verdict that are instants, and that a case writes as dates. */
export const expectedDates = ['announce', 'effective', 'graceUntil', 'escalates'] as const;

function expectedFaults(expect: Expected | undefined, path: Path, context: Context): Fault[] {
  if (expect === undefined) return [];
  const { rule, replacement, follows } = expect;
  const alone = 'a device that does not follow the policy has no verdict of it';
  return [
    ...(rule === undefined ? [] : ruleFaults(rule, [...path, 'rule'], context)),
    ...toolFaults(replacement, [...path, 'replacement'], context),
    ...expectedDates.flatMap((name) => dateFaults(expect[name], [...path, name], context)),
    ...(follows === false && Object.keys(expect).length > 1 ? [fault(path, alone)] : []),
  ];
}
