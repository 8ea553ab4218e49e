/**
 * The policy document: its types, and the way from YAML to a checked value. A document that is wrong
 * anywhere is refused whole, with line, column and what was expected. Dates and durations stay the text
 * the author wrote; `dates.ts` turns them into instants. What may be written is in `author-form.ts`.
 */
import Value from 'typebox/value';
import { PolicyDocument, type Action, type Decision, type Severity } from './author-form.js';
import type { Catalogue } from './catalogue.js';
import type { Channel, ComponentState, Platform, Scope } from './component.js';
import { complete } from './complete.js';
import { denialFieldNames, findFaults } from './lint.js';
import { toolSuggestion } from './lint-names.js';
import type { ReportChoices } from './reporting.js';
import { shapeFaults, withoutUnknownFields, type Fault } from './shape.js';
import { fieldName, readSource, type Source } from './source.js';

export {
  actions,
  decisions,
  ecosystems,
  PolicyDocument,
  severities,
  type Action,
  type Decision,
  type Ecosystem,
  type Severity,
} from './author-form.js';

/** A day (YYYY-MM-DD, begins at 00:00 in the policy's zone) or an instant with offset (RFC 3339). */
export type PolicyDate = string;

/** `3 days` (calendar days in the policy's zone) or `24 hours`. */
export type Duration = string;

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
  /** How long each device has from its first notice, whatever the date; null: nothing but the date. */
  readonly grace: Duration | null;
  /** What is done later, counted from the instant at which it came into force on the device. */
  readonly escalate: { readonly after: Duration; readonly action: Action } | null;
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
  /** Where people ask: an https: or a mailto: address. */
  readonly contact: string | null;
  /** An IANA zone, `utc` or `device-local`; null only in a document without plain dates. */
  readonly timezone: string | null;
  readonly default: {
    readonly decision: Extract<Decision, 'allow' | 'review' | 'deny'>;
    readonly denial: Denial | null;
  };
  readonly rules: readonly Rule[];
  readonly targets: {
    readonly groups: readonly string[] | null;
    /** Persons whose device it is (`AssignedUser`), as the directory writes them. */
    readonly users: readonly string[] | null;
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
      field: fieldName(path),
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
  return policyFrom(read.source, options);
}

/** Faults of shape, those of a tool's id with the tool that may be meant: people write its name. */
function namingTools(
  faults: readonly Fault[],
  author: unknown,
  catalogue: Catalogue | undefined,
): readonly Fault[] {
  if (catalogue === undefined) return faults;
  return faults.map((fault) => {
    const field = fault.path.findLast((step) => typeof step === 'string');
    const text = Value.Pointer.Get(author, `/${fault.path.join('/')}`);
    if (field !== 'tool' || typeof text !== 'string') return fault;
    return { ...fault, hint: () => toolSuggestion(text, catalogue) };
  });
}

/** The same of a text that was read as YAML already. */
export function policyFrom(
  source: Source,
  options: { readonly catalogue?: Catalogue } = {},
): ParsedPolicy {
  const author = source.value;
  if (!Value.Check(PolicyDocument, author)) {
    const faults = namingTools(shapeFaults(PolicyDocument, author), author, options.catalogue);
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
