/**
 * Whole paths against the patterns of a policy: `*` and `?` within one name, `**` for any names, `~`
 * for the owner's home. Paths come from a user's disk, so matching takes no more than the product of
 * both lengths, whatever they hold. It reads no disk and resolves no links.
 */

export interface PathFacts {
  readonly path: string;
  /** The owner's home; null: the places where homes usually are. */
  readonly home: string | null;
  readonly isWindows: boolean;
}

/** Homes by the habits of the systems, and `~` itself in a path that was shortened before. */
const usualHome =
  /^(~|\/home\/[^/]+|\/var\/home\/[^/]+|\/Users\/[^/]+|\/root|[a-z]:\/Users\/[^/]+)(?=\/)/i;

/**
 * A pattern with stars against a row of items. Only the last star is ever tried again: an earlier one
 * that took less could not let a later one match more.
 */
function matches<Item>(
  pattern: readonly Item[],
  items: readonly Item[],
  star: Item,
  isOne: (wanted: Item, found: Item) => boolean,
): boolean {
  let [at, on, starAt, starFrom] = [0, 0, -1, 0];
  while (on < items.length) {
    const wanted = pattern[at];
    const found = items[on];
    if (wanted !== undefined && wanted === star) {
      [starAt, starFrom] = [at, on];
      at += 1;
    } else if (wanted !== undefined && found !== undefined && isOne(wanted, found)) {
      at += 1;
      on += 1;
    } else if (starAt >= 0) {
      starFrom += 1;
      [at, on] = [starAt + 1, starFrom];
    } else {
      return false;
    }
  }
  return pattern.slice(at).every((rest) => rest === star);
}

const isName = (pattern: string, name: string): boolean =>
  matches([...pattern], [...name], '*', (wanted, found) => wanted === '?' || wanted === found);

const normal = (text: string, isWindows: boolean): string =>
  isWindows ? text.replaceAll('\\', '/').toLowerCase() : text;

/** A path from the home it lies in, spelled with `~`; null: it lies in none. */
function fromHome(path: string, { home: ownHome, isWindows }: PathFacts): string | null {
  const home = ownHome === null ? usualHome.exec(path)?.[0] : normal(ownHome, isWindows);
  if (home === undefined || !path.startsWith(home) || path[home.length] !== '/') return null;
  return `~${path.slice(home.length)}`;
}

/** A path as patterns may speak of it: whole, and from the home. */
function spellingsOf(facts: PathFacts): readonly string[] {
  const path = normal(facts.path, facts.isWindows);
  const below = fromHome(path, facts);
  return below === null ? [path] : [path, below];
}

/** Whether a path as a whole is what one of the patterns says. */
export function matchesPath(patterns: readonly string[], facts: PathFacts): boolean {
  const spellings = spellingsOf(facts);
  return patterns.some((pattern) => {
    const steps = normal(pattern, facts.isWindows).split('/');
    return spellings.some((spelling) => matches(steps, spelling.split('/'), '**', isName));
  });
}

/** So many names at the beginning tell most paths apart. */
const keyNames = 2;

/** The first names of a path, in no case and with any slashes. */
function keyOf(written: string, names: number): string {
  const path = written.includes('\\') ? written.replaceAll('\\', '/') : written;
  let at = 0;
  for (let count = 0; count < names; count += 1) {
    const next = path.indexOf('/', at + 1);
    if (next < 0) return path.toLowerCase();
    at = next;
  }
  return path.slice(0, at).toLowerCase();
}

/**
 * The first names of a pattern up to one with a wildcard. Only a path that begins so can be what
 * the pattern says.
 */
function patternKey(pattern: string): string {
  const wild = pattern.search(/[*?]/);
  if (wild < 0) return keyOf(pattern, keyNames);
  const literal = pattern
    .slice(0, wild)
    .replace(/[^\\/]*$/, '')
    .slice(0, -1);
  return keyOf(`${literal}/`, keyNames).replace(/\/$/, '');
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * A test whether a path can be what any of the patterns says, by how it begins: one look at the path
 * instead of one for each pattern.
 */
export function beginningOf(patterns: readonly string[]): (facts: PathFacts) => boolean {
  const keys = [...new Set(patterns.map(patternKey))].sort();
  const isOneOf = (some: readonly string[]): RegExp | null => {
    const [slash, list] = ['[\\\\/]', some.map((key) => escaped(key).replaceAll('/', '[\\\\/]'))];
    return some.length === 0 ? null : new RegExp(`^(?:${list.join('|')})(?:${slash}|$)`, 'u');
  };
  const whole = isOneOf(keys.filter((key) => !key.startsWith('~')));
  const ofHome = isOneOf(keys.filter((key) => key.startsWith('~')));
  return (facts) => {
    if (whole?.test(facts.path.toLowerCase()) === true) return true;
    if (ofHome === null) return false;
    const path = normal(facts.path, facts.isWindows);
    const below = fromHome(path, facts);
    return ofHome.test(path.toLowerCase()) || (below !== null && ofHome.test(below.toLowerCase()));
  };
}
