/**
 * Exceptions held against policies at an instant: those that have ended, name nobody, are for a tool that
 * the catalogue does not have, or for one that no policy denies. It asks no fleet: whether a person or
 * device exists is the server's to say.
 */
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import type { Catalogue } from './catalogue.js';
import { checkDate, resolveDate } from './dates.js';
import type { Policy } from './document.js';
import type { LintProblem } from './lint-advice.js';
import { advice, type Advice } from './lint-checks.js';
import { reachOf, situationBits, toolList } from './lint-reach.js';
import { suggestion } from './nearest.js';
import { shapeFaults } from './shape.js';
import { fieldName, readSource, type Place, type Step } from './source.js';

const line = (description: string) =>
  Type.Optional(Type.Union([Type.String({ description, maxLength: 1000 }), Type.Null()]));
const ListedException = Type.Object({
  id: line('The id of the exception'),
  tool: Type.String({ description: 'The id of a tool in the catalogue', maxLength: 128 }),
  person: line('Whom it is for'),
  device: line('The device it is for'),
  hardwareId: line('The hardware it is for'),
  reason: line('Why'),
  author: line('Who gave it'),
  from: line('An instant with offset'),
  until: Type.String({ description: 'An instant with offset', maxLength: 40 }),
  endedAt: line('When somebody ended it before its time'),
});
/** Fields that it does not know, as the server's own lists have, are passed over. */
const ListedExceptions = Type.Array(ListedException, { maxItems: 10_000 });

type Listed = Static<typeof ListedException>;

export interface ExceptionsInput {
  /** Those that devices may follow. */
  readonly policies: readonly Policy[];
  readonly catalogue: Catalogue;
  /** Epoch ms. */
  readonly now: number;
}

/**
 * What is to be said of a list of exceptions, as YAML, JSON, JSON Lines as `exception list --json` prints
 * them, or an assignment that has them: each with tool, until (an instant), one of
 * person, device and hardwareId, and what else there may be.
 */
export function lintExceptions(text: string, input: ExceptionsInput): LintProblem[] {
  const isAssignment = /^\s*\{[^\n]*"exceptions"\s*:/.test(text);
  const rows = text.trim().split('\n');
  const isLines = !isAssignment && rows.every((one) => /^\{.*\}\r?$/.test(one));
  const read = readSource(isLines ? text.replace(/^(?=\{)/gm, listMark) : text);
  const shift = isLines ? listMark.length : 0;
  const moved = <Placed extends Place>(one: Placed): Placed => ({
    ...one,
    column: Math.max(1, one.column - shift),
  });
  if (read.kind === 'invalid') {
    return read.problems.map((one) => ({
      ...{ check: 'document', severity: 'error', field: '' },
      ...moved(one),
    }));
  }
  const { value, placeOf } = read.source;
  const { list, base } = listIn(value);
  const faults = Value.Check(ListedExceptions, list)
    ? exceptionAdvice(list, input)
    : shapeFaults(ListedExceptions, list).map((fault): Advice => ({
        ...fault,
        check: 'document',
      }));
  return faults.map(({ check, severity, path, message, hint }) => ({
    ...{ check, severity, ...moved(placeOf([...base, ...path])) },
    field: fieldName([...base, ...path]),
    message: message + (hint?.() ?? ''),
  }));
}

/** What makes each line of JSON Lines an entry of a YAML list. */
const listMark = '- ';

/** An assignment has its exceptions in a field. */
function listIn(value: unknown): { list: unknown; base: readonly Step[] } {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMapping || !('exceptions' in value)) return { list: value, base: [] };
  return { list: value.exceptions, base: ['exceptions'] };
}

/** Fields that say of each find of a tool whether it is meant, without its version, place or setting. */
const wholeFields = ['tool', 'kind', 'vendor', 'state', 'scope', 'running'];
/** What the default of deny takes: a tool in use. */
const inUse = situationBits(
  ({ state, scope }) => state === 'running' || (state === 'installed' && scope === 'global'),
);

/** Ids of tools that some rule of a policy, or its default, denies in some state. */
function deniedTools(policies: readonly Policy[], catalogue: Catalogue): ReadonlySet<string> {
  const denied = new Set<string>();
  for (const policy of policies) {
    // For each tool the situations that no rule before has decided.
    const left = new Map<string, number>();
    const open = (tool: string): number => left.get(tool) ?? situationBits(() => true);
    for (const { match, decision } of policy.rules) {
      const { tools, situations } = reachOf(match, catalogue);
      const isWhole = Object.keys(match).every((field) => wholeFields.includes(field));
      for (const { id } of toolList(tools, catalogue)) {
        if (decision === 'deny' && (open(id) & situations) !== 0) denied.add(id);
        if (isWhole) left.set(id, open(id) & ~situations);
      }
    }
    if (policy.default.decision !== 'deny') continue;
    for (const { id } of catalogue.tools) if ((open(id) & inUse) !== 0) denied.add(id);
  }
  return denied;
}

function exceptionAdvice(listed: readonly Listed[], input: ExceptionsInput): Advice[] {
  const { policies, catalogue, now } = input;
  const denied = deniedTools(policies, catalogue);
  const ids = catalogue.tools.flatMap((one) => [one.id, ...one.aliases]);
  return listed.flatMap((exception, at): Advice[] => {
    const { id, tool: named, person, device, hardwareId, until } = exception;
    const { from = null, endedAt = null } = exception;
    const name = `exception ${id ?? `${at + 1}`}`;
    const tool = catalogue.tool(named);
    const isForNobody = !(person ?? device ?? hardwareId);
    return [
      ...(isForNobody
        ? [
            advice(
              'exception-nobody',
              [at],
              `${name} names no person, device or hardware id, so it holds for nobody`,
            ),
          ]
        : []),
      ...(tool === null
        ? [
            advice(
              'exception-tool',
              [at, 'tool'],
              `${name}: the catalogue has no tool "${named}"${suggestion(named, ids)}`,
            ),
          ]
        : denied.has(tool.id)
          ? []
          : [
              advice(
                'exception-idle',
                [at, 'tool'],
                `${name} matches nothing: no policy here denies ${tool.id}`,
              ),
            ]),
      ...timeAdvice(name, [at], { from, until, endedAt, now }),
    ];
  });
}

interface Times {
  readonly from: string | null;
  readonly until: string;
  readonly endedAt: string | null;
  readonly now: number;
}

/** What is wrong with a text that is to be an instant; null for nothing. */
function wrongInstant(text: string): string | null {
  const checked = checkDate(text);
  if (checked.kind === 'invalid') return checked.message;
  if (checked.kind === 'instant') return null;
  return `${text} is a day; write an instant with offset, like ${text}T00:00:00Z`;
}

function timeAdvice(name: string, path: readonly Step[], times: Times): Advice[] {
  const { from, until, endedAt, now } = times;
  const [begin, end] = [
    [...path, 'from'],
    [...path, 'until'],
  ];
  if (endedAt !== null) return [advice('exception-ended', end, `${name} was ended at ${endedAt}`)];
  const wrong = [
    { at: begin, message: from === null ? null : wrongInstant(from) },
    { at: end, message: wrongInstant(until) },
  ].flatMap(({ at, message }): Advice[] =>
    message === null ? [] : [{ check: 'document', severity: 'error', path: at, message }],
  );
  if (wrong.length > 0) return wrong;
  const ends = resolveDate(until, null, 'UTC');
  if (from !== null && resolveDate(from, null, 'UTC') >= ends) {
    const message = `${name} begins at ${from}, when it has ended at ${until}, so it never holds`;
    return [advice('exception-never', begin, message)];
  }
  if (ends > now) return [];
  const message = `${name} ended at ${until}; it stops by itself and may be removed`;
  return [advice('exception-ended', end, message)];
}
