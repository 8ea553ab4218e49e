/**
 * Whether a version lies in a range. A range is npm's notation (`>=2.1.91 <=2.1.197`, `^1.2 || 3.x`),
 * with Python's commas, `==`, `!=` and `~=` understood too, or a `vers:` URI. How versions compare is
 * the ecosystem's own affair (`orderings.ts`); a prerelease never slips past a range that its order
 * puts it in; and what cannot be read is `unknown`, which never counts as compliant.
 */
import semver from 'semver';
import {
  alpmOrdering,
  apkOrdering,
  debianOrdering,
  homebrewOrdering,
  rpmOrdering,
} from './distributions.js';
import { suggestion } from './nearest.js';
import { dottedOrdering, pep440Ordering, semverOrdering, type Ordering } from './orderings.js';

export type RangeAnswer = 'in' | 'out' | 'unknown';

type Operator = '<' | '<=' | '>' | '>=' | '=' | '===' | '!=' | '~' | '~=' | '^';
interface Constraint {
  readonly operator: Operator;
  readonly version: string;
  /** Written with `.x` or `.*` behind it: the whole series of numbers is meant. */
  readonly isSeries?: boolean;
}

/** Outer list: any of them; inner list: all of them. */
type Alternatives = readonly (readonly Constraint[])[];
/** A range made ready for one ecosystem. */
type Test = (version: string) => RangeAnswer;

const longestRange = 512;
const mostConstraints = 64;
const anyVersion = /^(\*|x|X|vers:(?!none\/)[a-z][a-z0-9.-]*\/\*)$/;
/** The types of `vers:` that hold all versions, or none, whatever the order. */
const noVersion = 'vers:none/*';
const token =
  /\s*,?\s*(===|==|!=|~=|~>|<=|>=|<|>|=|~|\^)?\s*((?:[vV]?\d+!)?[^\s,|<>=!~^][^\s,|<>=!]*)/y;
/** One number alone, perhaps with an epoch. */
const single = /^v?(?:\d+!)?\d+(?!\.?\d|!)/i;
const seriesForm = /^(?:\d+[!:])?v?\d+(?:\.\d+)*$/i;

/** `1.2.3 - 2.3.4` by its two ends. */
const withoutSpan = (text: string): string => text.replace(/^(\S+)\s+-\s+(\S+)$/, '>=$1 <=$2');

/** One alternative of the notation; null when it is not written like a range. */
function readConstraints(text: string): readonly Constraint[] | null {
  const source = withoutSpan(text.trim());
  const found: Constraint[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const next = token.exec(source);
    if (next === null || found.length === mostConstraints) return null;
    const one = readConstraint(operatorOf(next[1]), next[2] ?? '');
    if (one === null) return null;
    found.push(one);
  }
  return found.length === 0 ? null : found;
}

/** Python's `~=` needs two numbers and no series; a series is made of numbers alone. */
function readConstraint(operator: Operator, text: string): Constraint | null {
  const series = /^(.*?)(?:\.[*xX])+$/.exec(text)?.[1];
  if (operator === '~=' && (series !== undefined || single.test(text))) return null;
  if (series === undefined) return { operator, version: text };
  return seriesForm.test(series) ? { operator, version: series, isSeries: true } : null;
}

function operatorOf(written: string | undefined): Operator {
  if (written === '==' || written === undefined) return '=';
  return written === '~>' ? '~' : (written as Operator);
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
const opposite = { in: 'out', out: 'in', unknown: 'unknown' } as const;

const begins = (release: readonly number[], prefix: readonly number[]): boolean =>
  prefix.every((number, at) => (release[at] ?? 0) === number);

/** How many leading numbers of a release `~`, `~=` and `^` hold fast. */
function heldNumbers(operator: '~' | '~=' | '^', release: readonly number[]): number {
  if (operator === '~=') return Math.max(1, release.length - 1);
  if (operator === '~') return Math.min(2, release.length);
  const firstSet = release.slice(0, 3).findIndex((number) => number !== 0);
  return firstSet === -1 ? Math.min(3, release.length) : firstSet + 1;
}

/** Whether a bound that is written so stands for its series of numbers. */
function isShortIn<V>({ version, isSeries = false }: Constraint, ordering: Ordering<V>): boolean {
  const isPython = (ordering as unknown) === pep440Ordering;
  return isSeries || (!isPython && /^v?\d+(\.\d+)?$/i.test(version));
}

const numbersOf = (text: string): readonly number[] =>
  text
    .replace(/^(?:\d+[!:])?v?/i, '')
    .split('.')
    .map(Number);

/**
 * One constraint as a test; null when its version cannot be read. As in npm's notation a short bound
 * stands for its series outside Python: `<=2.1` takes 2.1.9, `>2.1` begins at 2.2, and `>=2.1` takes
 * 2.1.0-rc.1. One written as a series does so everywhere.
 */
function testOf<V>(
  constraint: Constraint,
  ordering: Ordering<V>,
): ((version: V) => RangeAnswer) | null {
  const { operator, version: text, isSeries = false } = constraint;
  const bound = ordering.read(text);
  if (bound === null) return null;
  const isShort = isShortIn(constraint, ordering);
  const written = isShort ? numbersOf(text) : ordering.release(bound);
  const inPrefix =
    (prefix: readonly number[]) =>
    (version: V): RangeAnswer => {
      if (!begins(ordering.release(version), prefix)) return 'out';
      const isSame = ordering.isSameLine === undefined || ordering.isSameLine(version, bound);
      return isSame === null ? 'unknown' : answer(isSame);
    };
  const inSeries = inPrefix(written);
  const byOrder =
    (test: (order: number) => boolean) =>
    (version: V): RangeAnswer => {
      const order = ordering.compare(version, bound);
      return order === null ? 'unknown' : answer(test(order));
    };
  /** Or in the series of a short bound. */
  const orSeries = (test: (version: V) => RangeAnswer) =>
    isShort ? (version: V): RangeAnswer => any([inSeries(version), test(version)]) : test;
  const atLeast = orSeries(byOrder((order) => order >= 0));
  const above =
    isShort || ordering.isAbove === undefined
      ? byOrder((order) => order > 0)
      : (version: V): RangeAnswer => answer(ordering.isAbove?.(version, bound) === true);
  switch (operator) {
    case '<':
      return byOrder((order) => order < 0);
    case '>=':
      return atLeast;
    case '!=':
      return isSeries ? (version) => opposite[inSeries(version)] : byOrder((order) => order !== 0);
    case '=':
    case '===':
      return isShort ? inSeries : byOrder((order) => order === 0);
    case '<=':
      return orSeries(byOrder((order) => order <= 0));
    case '>':
      return isShort ? (version) => all([opposite[inSeries(version)], above(version)]) : above;
    case '~':
    case '~=':
    case '^': {
      const inHeld = inPrefix(written.slice(0, heldNumbers(operator, written)));
      return (version) => all([atLeast(version), inHeld(version)]);
    }
  }
}

/** One constraint as a test of a version's text; null when it cannot be read. */
function textTestOf<V>(constraint: Constraint, ordering: Ordering<V>): Test | null {
  const isSame = constraint.operator === '===' && constraint.isSeries !== true;
  if (isSame && (ordering as unknown) === pep440Ordering) {
    // https://peps.python.org/pep-0440/#arbitrary-equality: sign by sign, whatever it says.
    const wanted = constraint.version.toLowerCase();
    return (text) => answer(text.toLowerCase() === wanted);
  }
  const test = testOf(constraint, ordering);
  if (test === null) return null;
  return (text) => {
    const version = ordering.read(text);
    return version === null ? 'unknown' : test(version);
  };
}

function testAlternatives<V>(alternatives: Alternatives, ordering: Ordering<V>): Test | null {
  const tests = alternatives.map((constraints) =>
    constraints.map((one) => textTestOf(one, ordering)),
  );
  if (tests.some((one) => one.includes(null))) return null;
  return (text) => any(tests.map((one) => all(one.map((test) => test?.(text) ?? 'unknown'))));
}

/** npm's own reading, prereleases included: `<2` means `<2.0.0`, so that 2.0.0-rc.1 is in it. */
function npmTest(range: string): Test | null {
  // Where npm reads nothing as anything, somebody has forgotten to write a range.
  if (range.split('||').some((one) => one.trim() === '')) return null;
  const padded = range
    .split('||')
    .map((one) => withoutSpan(one.trim()))
    .join('||')
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

/** What vers-spec's validation rules let follow on one another, in the order of versions. */
function isVersSequence(operators: readonly Operator[]): boolean {
  const signs = operators.filter((operator) => operator !== '!=');
  const isUpper = (operator: Operator | undefined): boolean => operator?.startsWith('<') === true;
  if (signs.some((operator, at) => operator === '=' && isUpper(signs[at + 1]))) return false;
  const fences = signs.filter((operator) => operator !== '=');
  return fences.every((one, at) => at === 0 || isUpper(one) !== isUpper(fences[at - 1]));
}

/**
 * https://github.com/package-url/vers-spec: signposts on the line of versions. They are put in order
 * here; one version named twice, or two ends of one kind side by side, make no range.
 */
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
  const isTwice = read.some(({ bound }, at) => {
    const before = read[at - 1];
    return before !== undefined && ordering.compare(before.bound, bound) === 0;
  });
  if (isTwice || !isVersSequence(read.map(({ operator }) => operator))) return null;
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
    const one = /^(!=|<=|>=|<|>)?([^<>=!|*]+)$/.exec(part);
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

/** By ecosystem, as channels and managers name it, or as the types of `vers:` do. */
function withOrdering<Result>(
  ecosystem: string,
  use: <V>(ordering: Ordering<V>) => Result,
): Result {
  switch (ecosystem) {
    case 'npm':
    case 'semver':
    case 'cargo':
    case 'golang':
    case 'hex':
    case 'pub':
      return use(semverOrdering);
    case 'pypi':
      return use(pep440Ordering);
    case 'dpkg':
    case 'deb':
      return use(debianOrdering);
    case 'rpm':
      return use(rpmOrdering);
    case 'pacman':
    case 'alpm':
      return use(alpmOrdering);
    case 'apk':
    case 'alpine':
      return use(apkOrdering);
    case 'homebrew':
      return use(homebrewOrdering);
    default:
      return use(dottedOrdering);
  }
}

/**
 * Types of `vers:` that count by numbers: the ecosystems here without an order of their own, and what
 * is meant to be general. Of any other type nobody here knows the order, or it is a slip of the pen.
 */
const dottedTypes: ReadonlySet<string> = new Set([
  ...['generic', 'intdot', 'nuget', 'winget', 'scoop', 'chocolatey', 'snap', 'flatpak'],
  ...['editor-extension', 'jetbrains-plugin', 'browser-extension', 'application', 'executable'],
]);
const orderedTypes: ReadonlySet<string> = new Set([
  ...['npm', 'semver', 'cargo', 'golang', 'hex', 'pub', 'pypi', 'dpkg', 'deb', 'rpm'],
  ...['pacman', 'alpm', 'apk', 'alpine', 'homebrew'],
]);
const hasOrder = (type: string): boolean => orderedTypes.has(type) || dottedTypes.has(type);

function compile(ecosystem: string, range: string): Test | null {
  if (range.length > longestRange) return null;
  if (range.startsWith('vers:')) {
    const vers = readVers(range);
    if (vers === null || !hasOrder(vers.scheme)) return null;
    return withOrdering(vers.scheme, (ordering) => versTest(vers.constraints, ordering));
  }
  const npm = ecosystem === 'npm' ? npmTest(range) : null;
  const alternatives = npm === null ? readAlternatives(range) : null;
  if (alternatives === null) return npm;
  return withOrdering(ecosystem, (ordering) => testAlternatives(alternatives, ordering));
}

const ofTheirOwn = ['npm', 'pypi', 'dpkg', 'rpm', 'pacman', 'apk', 'homebrew'];
const compiled = new Map<string, Test | null>();

function testFor(ecosystem: string, range: string): Test | null {
  const kind = ofTheirOwn.includes(ecosystem) ? ecosystem : 'other';
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
  const text = range.trim();
  if (text === noVersion) return null;
  const type = /^vers:([^/]+)\//.exec(text)?.[1];
  if (type !== undefined && type !== 'all' && type !== 'none' && !hasOrder(type)) {
    const near = suggestion(type, [...orderedTypes, ...dottedTypes]);
    return `no order of versions is known for "${type}"${near}`;
  }
  if (anyVersion.test(text)) return null;
  const isRead = [...ofTheirOwn, 'other'].some((kind) => testFor(kind, text) !== null);
  return isRead
    ? null
    : 'expected a range like ">=2.1.91 <=2.1.197", "^1.2 || 3.x" or "vers:npm/>=2.1.91|<=2.1.197"';
}

/**
 * Whether `version` is in `range`. `ecosystem` is a channel, or the manager of a `package`; those that
 * have no order of their own compare dotted numbers. The scheme of a `vers:` range says how to compare,
 * whatever the ecosystem. `*` takes every version, also one that could not be read.
 */
export function inRange(ecosystem: string, version: string | null, range: string): RangeAnswer {
  const text = range.trim();
  if (anyVersion.test(text)) return 'in';
  if (text === noVersion) return 'out';
  if (version === null) return 'unknown';
  return testFor(ecosystem, text)?.(version.trim()) ?? 'unknown';
}
