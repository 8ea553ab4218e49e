/**
 * Whether a version lies in a range. A range is npm's notation (`>=2.1.91 <=2.1.197`, `^1.2 || 3.x`),
 * with Python's commas, `==`, `!=` and `~=` understood too, or a `vers:` URI. How versions compare is
 * the ecosystem's own affair (`orderings.ts`); a prerelease never slips past a range that its order
 * puts it in; and what cannot be read is `unknown`, which never counts as compliant.
 */
import semver from 'semver';
import { dottedOrdering, pep440Ordering, semverOrdering, type Ordering } from './orderings.js';

export type RangeAnswer = 'in' | 'out' | 'unknown';

type Operator = '<' | '<=' | '>' | '>=' | '=' | '!=' | '~' | '~=' | '^' | 'series' | 'not-series';
interface Constraint {
  readonly operator: Operator;
  readonly version: string;
}

/** Outer list: any of them; inner list: all of them. */
type Alternatives = readonly (readonly Constraint[])[];
/** A range made ready for one ecosystem. */
type Test = (version: string) => RangeAnswer;

const longestRange = 512;
const mostConstraints = 64;
const anyVersion = /^(\*|x|X|vers:[a-z0-9.-]+\/\*)$/;
const token =
  /\s*,?\s*(===|==|!=|~=|~>|<=|>=|<|>|=|~|\^)?\s*((?:\d+!)?[^\s,|<>=!~^][^\s,|<>=!^]*)/y;

/** One alternative of the notation; null when it is not written like a range. */
function readConstraints(text: string): readonly Constraint[] | null {
  const span = /^\s*(\S+)\s+-\s+(\S+)\s*$/.exec(text);
  const source = span === null ? text.trim() : `>=${span[1] ?? ''} <=${span[2] ?? ''}`;
  const found: Constraint[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const next = token.exec(source);
    if (next === null || found.length === mostConstraints) return null;
    const series = /^(.*?)(?:\.[*xX])+$/.exec(next[2] ?? '');
    const operator = operatorOf(next[1], series !== null);
    if (operator === null) return null;
    found.push({ operator, version: series?.[1] ?? next[2] ?? '' });
  }
  return found.length === 0 ? null : found;
}

function operatorOf(written: string | undefined, isSeries: boolean): Operator | null {
  const operator = written === '==' || written === '===' || written === undefined ? '=' : written;
  if (isSeries && operator === '!=') return 'not-series';
  if (isSeries && operator === '=') return 'series';
  return operator === '~>' ? '~' : (operator as Operator);
}

function readAlternatives(range: string): Alternatives | null {
  const alternatives = range.split('||').map(readConstraints);
  return alternatives.every((one) => one !== null) ? alternatives : null;
}

const all = (answers: readonly RangeAnswer[]): RangeAnswer =>
  answers.includes('out') ? 'out' : answers.includes('unknown') ? 'unknown' : 'in';
const any = (answers: readonly RangeAnswer[]): RangeAnswer =>
  answers.includes('in') ? 'in' : answers.includes('unknown') ? 'unknown' : 'out';
const answer = (isIn: boolean): RangeAnswer => (isIn ? 'in' : 'out');

const begins = (release: readonly number[], prefix: readonly number[]): boolean =>
  prefix.every((number, at) => (release[at] ?? 0) === number);

/** How many leading numbers of a release `~`, `~=` and `^` hold fast. */
function heldNumbers(operator: '~' | '~=' | '^', release: readonly number[]): number {
  if (operator === '~=') return Math.max(1, release.length - 1);
  if (operator === '~') return Math.min(2, release.length);
  const firstSet = release.slice(0, 3).findIndex((number) => number !== 0);
  return firstSet === -1 ? Math.min(3, release.length) : firstSet + 1;
}

/**
 * One constraint as a test; null when its version cannot be read. As in npm's notation a short bound
 * stands for its series outside Python: `<=2.1` takes 2.1.9, `>2.1` begins at 2.2.
 */
function testOf<V>(
  { operator, version: text }: Constraint,
  ordering: Ordering<V>,
): ((version: V) => RangeAnswer) | null {
  const bound = ordering.read(text);
  if (bound === null) return null;
  const held = ordering.release(bound);
  const isShort = (ordering as unknown) !== pep440Ordering && /^v?\d+(\.\d+)?$/.test(text);
  const written = isShort ? text.replace('v', '').split('.').map(Number) : held;
  const inSeries = (version: V): boolean => begins(ordering.release(version), written);
  const byOrder =
    (test: (order: number) => boolean) =>
    (version: V): RangeAnswer => {
      const order = ordering.compare(version, bound);
      return order === null ? 'unknown' : answer(test(order));
    };
  const atLeast = byOrder((order) => order >= 0);
  switch (operator) {
    case '<':
      return byOrder((order) => order < 0);
    case '>=':
      return atLeast;
    case '!=':
      return byOrder((order) => order !== 0);
    case 'series':
      return (version) => answer(inSeries(version));
    case 'not-series':
      return (version) => answer(!inSeries(version));
    case '=':
      return isShort ? (version) => answer(inSeries(version)) : byOrder((order) => order === 0);
    case '<=':
      return (version) =>
        isShort && inSeries(version) ? 'in' : byOrder((order) => order <= 0)(version);
    case '>':
      if (ordering.isAbove !== undefined) {
        return (version) => answer(ordering.isAbove?.(version, bound) === true);
      }
      return (version) =>
        isShort && inSeries(version) ? 'out' : byOrder((order) => order > 0)(version);
    case '~':
    case '~=':
    case '^': {
      const prefix = written.slice(0, heldNumbers(operator, written));
      return (version) =>
        all([atLeast(version), answer(begins(ordering.release(version), prefix))]);
    }
  }
}

function testAlternatives<V>(alternatives: Alternatives, ordering: Ordering<V>): Test | null {
  const tests = alternatives.map((constraints) => constraints.map((one) => testOf(one, ordering)));
  if (tests.some((one) => one.includes(null))) return null;
  return (text) => {
    const version = ordering.read(text);
    if (version === null) return 'unknown';
    return any(tests.map((one) => all(one.map((test) => test?.(version) ?? 'unknown'))));
  };
}

/** npm's own reading, prereleases included: `<2` means `<2.0.0`, so that 2.0.0-rc.1 is in it. */
function npmTest(range: string): Test | null {
  // Where npm reads nothing as anything, somebody has forgotten to write a range.
  if (range.split('||').some((one) => one.trim() === '')) return null;
  const padded = range
    .replaceAll(',', ' ')
    .replace(/={2,3}/g, '=')
    .replace(/<\s*v?(\d+)(\.\d+)?(?:\.[xX*])*(?![\w.+*-])/g, (_, major: string, minor?: string) => {
      return `<${major}${minor ?? '.0'}.0`;
    });
  const read =
    semver.validRange(padded) === null
      ? null
      : new semver.Range(padded, { includePrerelease: true });
  if (read === null) return null;
  return (text) => {
    const version = semverOrdering.read(text);
    return version === null ? 'unknown' : answer(read.test(version));
  };
}

/** https://github.com/package-url/vers-spec: signposts on the line of versions, read in their order. */
function versTest<V>(constraints: readonly Constraint[], ordering: Ordering<V>): Test | null {
  const signs = constraints.map(({ operator, version }) => ({
    operator,
    bound: ordering.read(version),
  }));
  const read = signs.flatMap(({ operator, bound }) =>
    bound === null ? [] : [{ operator, bound }],
  );
  if (read.length < signs.length) return null;
  read.sort((left, right) => ordering.compare(left.bound, right.bound) ?? 0);
  const fences = read.filter(({ operator }) => operator !== '=' && operator !== '!=');
  return (text) => {
    const version = ordering.read(text);
    if (version === null) return 'unknown';
    const orders = new Map(read.map((sign) => [sign, ordering.compare(version, sign.bound)]));
    if ([...orders.values()].includes(null)) return 'unknown';
    const equal = read.find((sign) => orders.get(sign) === 0);
    if (equal !== undefined) return answer(['=', '<=', '>='].includes(equal.operator));
    // The nearest fence on either side decides: one that opens to the right, or one that opens to the left.
    const below = fences.findLast((sign) => (orders.get(sign) ?? 0) > 0);
    const above = fences.find((sign) => (orders.get(sign) ?? 0) < 0);
    return answer(
      below?.operator.startsWith('>') === true || above?.operator.startsWith('<') === true,
    );
  };
}

function readVers(range: string): { scheme: string; constraints: readonly Constraint[] } | null {
  const found = /^vers:([a-z][a-z0-9.-]*)\/(\S+)$/.exec(range);
  const parts = found?.[2]?.split('|') ?? [];
  if (found === null || parts.length > mostConstraints) return null;
  const constraints: Constraint[] = [];
  for (const part of parts) {
    const one = /^(!=|<=|>=|<|>|=)?([^<>=!|*]+)$/.exec(part);
    if (one === null) return null;
    try {
      constraints.push({
        operator: (one[1] ?? '=') as Operator,
        version: decodeURIComponent(one[2] ?? ''),
      });
    } catch {
      return null; // a percent sign that encodes nothing
    }
  }
  return { scheme: found[1] ?? '', constraints };
}

function compile(ecosystem: string, range: string): Test | null {
  if (range.length > longestRange) return null;
  if (range.startsWith('vers:')) {
    const vers = readVers(range);
    if (vers === null) return null;
    if (vers.scheme === 'npm' || vers.scheme === 'semver') {
      return versTest(vers.constraints, semverOrdering);
    }
    return vers.scheme === 'pypi'
      ? versTest(vers.constraints, pep440Ordering)
      : versTest(vers.constraints, dottedOrdering);
  }
  const npm = ecosystem === 'npm' ? npmTest(range) : null;
  if (npm !== null) return npm;
  const alternatives = readAlternatives(range);
  if (alternatives === null) return null;
  if (ecosystem === 'npm') return testAlternatives(alternatives, semverOrdering);
  return ecosystem === 'pypi'
    ? testAlternatives(alternatives, pep440Ordering)
    : testAlternatives(alternatives, dottedOrdering);
}

const compiled = new Map<string, Test | null>();

function testFor(ecosystem: string, range: string): Test | null {
  const kind = ecosystem === 'npm' || ecosystem === 'pypi' ? ecosystem : 'other';
  const key = `${kind} ${range}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  if (compiled.size >= 1000) compiled.clear();
  const made = compile(kind, range);
  compiled.set(key, made);
  return made;
}

/** What is wrong with a range, as one clause; null when at least one ecosystem can read it. */
export function checkRange(range: string): string | null {
  if (anyVersion.test(range.trim())) return null;
  const isRead = ['npm', 'pypi', 'other'].some((kind) => testFor(kind, range.trim()) !== null);
  return isRead
    ? null
    : 'expected a range like ">=2.1.91 <=2.1.197", "^1.2 || 3.x" or "vers:npm/>=2.1.91|<=2.1.197"';
}

/**
 * Whether `version` is in `range`. `ecosystem` is a channel, or the manager of a `package`; npm and
 * pypi have rules of their own, all others compare dotted numbers. The scheme of a `vers:` range says
 * how to compare, whatever the ecosystem. `*` takes every version, also one that could not be read.
 */
export function inRange(ecosystem: string, version: string | null, range: string): RangeAnswer {
  const text = range.trim();
  if (anyVersion.test(text)) return 'in';
  if (version === null) return 'unknown';
  return testFor(ecosystem, text)?.(version.trim()) ?? 'unknown';
}
