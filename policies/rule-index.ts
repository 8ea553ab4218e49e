/**
 * Which rules of a policy can match a component at all, so that a judgement tries a handful out of
 * hundreds. What a component is by tool, channel, state and scope picks the rules; those that name
 * packages, publishers or paths are left out for a component that none of them names. It only leaves out:
 * whether a rule matches is still for its conditions to say.
 */
import { channels, componentStates, scopes } from './component.js';
import type { Match } from './document.js';
import { beginningOf } from './glob.js';
import { normalPackage, packageOf, testAll, type Condition, type Subject } from './match.js';
import type { Answer } from './match.js';
import { publishersOf } from './publisher.js';
import type { ReadyRule } from './ready.js';

/** A rule that may match, and what is left to be tried. */
export interface Reaching {
  readonly rule: ReadyRule;
  test(subject: Subject): Answer;
}

export interface IndexedRule {
  readonly rule: ReadyRule;
  readonly match: Match;
  readonly conditions: readonly Condition[];
}

/** What a component must be named by. */
const byPackage = 1;
const byPublisher = 2;
const byPath = 4;

/** Components that are the same in all that picks rules. */
interface Kind {
  readonly rules: readonly { readonly needs: number; readonly reaching: Reaching }[];
  /** The rules for a component that is named so, by the sum of the three above. */
  readonly named: (readonly Reaching[] | undefined)[];
}

/** Fields that the kind decides. */
const ofKind: ReadonlySet<keyof Match> = new Set([
  'tool',
  'kind',
  'vendor',
  'channel',
  'state',
  'scope',
]);
const channelPlace = new Map(channels.map((name, at) => [name, at]));
const statePlace = new Map(componentStates.map((name, at) => [name, at]));
const kindsOfTool = channels.length * componentStates.length * scopes.length;
/** More tools than any catalogue has: ids from outside must not fill the memory. */
const mostTools = 10_000;

const needsOf = ({ package: packages, publisher, path }: Match): number =>
  (packages === undefined ? 0 : byPackage) +
  (publisher === undefined ? 0 : byPublisher) +
  (path === undefined ? 0 : byPath);

/** Answers the rules, in order, that can match a component. */
export function indexRules(all: readonly IndexedRule[]): (subject: Subject) => readonly Reaching[] {
  const kinds = new Map<string | null, (Kind | undefined)[]>();
  const namedBy = namesIn(all.map(({ match }) => match));
  return (subject) => {
    const { tool, channel, state, scope } = subject.component;
    let ofTool = kinds.get(tool);
    if (ofTool === undefined) {
      if (kinds.size >= mostTools) kinds.clear();
      kinds.set(tool, (ofTool = new Array<Kind | undefined>(kindsOfTool).fill(undefined)));
    }
    const place =
      ((channelPlace.get(channel) ?? 0) * componentStates.length + (statePlace.get(state) ?? 0)) *
        scopes.length +
      (scope === 'global' ? 0 : 1);
    const kind = (ofTool[place] ??= kindOf(all, subject));
    const named = namedBy(subject);
    return (kind.named[named] ??= kind.rules
      .filter(({ needs }) => (needs & ~named) === 0)
      .map(({ reaching }) => reaching));
  };
}

function kindOf(all: readonly IndexedRule[], subject: Subject): Kind {
  const rules = all.flatMap(({ rule, match, conditions }) => {
    const [decided, open] = [true, false].map((isOfKind) =>
      conditions.filter(({ field }) => ofKind.has(field) === isOfKind),
    );
    if (testAll(decided ?? [], subject) !== 'yes') return [];
    const rest = open ?? [];
    const reaching = { rule, test: (one: Subject) => testAll(rest, one) };
    return [{ needs: needsOf(match), reaching }];
  });
  return { rules, named: [] };
}

/** Says by what of the three any rule may name a component. */
function namesIn(matches: readonly Match[]): (subject: Subject) => number {
  const packages = new Map<string, Set<string>>();
  const publishers = new Set<string>();
  const patterns = matches.flatMap(({ path }) => path ?? []);
  const isBegun = beginningOf(patterns);
  for (const match of matches) {
    for (const [ecosystem, names] of Object.entries(match.package ?? {})) {
      const known = packages.get(ecosystem) ?? new Set();
      for (const name of names) known.add(normalPackage(ecosystem, name));
      packages.set(ecosystem, known);
    }
    for (const name of match.publisher ?? []) publishers.add(name.toLowerCase());
  }
  const isPackage = ({ component }: Subject): boolean => {
    const { channel } = component;
    const isPlain = channel !== 'package' && channel !== 'process';
    // Most channels have no package that any rule names, and are told without making anything.
    if (isPlain && !packages.has(channel)) return false;
    const [ecosystem, name] = packageOf(component);
    return packages.get(ecosystem)?.has(normalPackage(ecosystem, name)) === true;
  };
  const isPublisher = ({ component }: Subject): boolean =>
    publishersOf(component).some((name) => publishers.has(name.toLowerCase()));
  const isPath = ({ component: { path }, device: { home = null, platform } }: Subject): boolean =>
    isBegun({ path, home, isWindows: platform === 'win32' });
  return (subject) =>
    (packages.size > 0 && isPackage(subject) ? byPackage : 0) +
    (publishers.size > 0 && isPublisher(subject) ? byPublisher : 0) +
    (patterns.length > 0 && isPath(subject) ? byPath : 0);
}
