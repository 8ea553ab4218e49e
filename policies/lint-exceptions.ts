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
import { reachOf, toolList } from './lint-reach.js';
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

/** Ids of tools that some rule of a policy, or its default, denies. */
function deniedTools(policies: readonly Policy[], catalogue: Catalogue): ReadonlySet<string> {
  const denied = new Set<string>();
  for (const policy of policies) {
    let left = (1n << BigInt(catalogue.tools.length)) - 1n;
    for (const { match, decision } of policy.rules) {
      const { tools } = reachOf(match, catalogue);
      if (decision === 'deny') {
        for (const tool of toolList(tools & left, catalogue)) denied.add(tool.id);
      }
      // Only a rule on nothing but tools, in every state, keeps what comes after it from them.
      const ofTool = ['tool', 'kind', 'vendor'];
      if (Object.keys(match).every((field) => ofTool.includes(field))) left &= ~tools;
    }
    if (policy.default.decision === 'deny') {
      for (const tool of toolList(left, catalogue)) denied.add(tool.id);
    }
  }
  return denied;
}

function exceptionAdvice(listed: readonly Listed[], input: ExceptionsInput): Advice[] {
  const { policies, catalogue, now } = input;
  const denied = deniedTools(policies, catalogue);
  const ids = catalogue.tools.flatMap((one) => [one.id, ...one.aliases]);
  return listed.flatMap((exception, at): Advice[] => {
    const { id, tool: named, person, device, hardwareId, until, endedAt = null } = exception;
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
      ...endAdvice(name, [at, 'until'], { until, endedAt, now }),
    ];
  });
}

function endAdvice(
  name: string,
  path: readonly Step[],
  { until, endedAt, now }: Pick<Listed, 'until' | 'endedAt'> & { readonly now: number },
): Advice[] {
  if (typeof endedAt === 'string') {
    return [advice('exception-ended', path, `${name} was ended at ${endedAt}`)];
  }
  const checked = checkDate(until);
  if (checked.kind !== 'instant') {
    const message =
      checked.kind === 'invalid'
        ? checked.message
        : `${until} is a day; write an instant with offset, like ${until}T00:00:00Z`;
    return [{ check: 'document', severity: 'error', path, message }];
  }
  if (resolveDate(until, null, 'UTC') > now) return [];
  return [
    advice(
      'exception-ended',
      path,
      `${name} ended at ${until}; it stops by itself and may be removed`,
    ),
  ];
}
