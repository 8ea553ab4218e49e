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

/** Whether a path as a whole is what one of the patterns says. */
export function matchesPath(patterns: readonly string[], facts: PathFacts): boolean {
  const normal = (text: string): string =>
    facts.isWindows ? text.replaceAll('\\', '/').toLowerCase() : text;
  const path = normal(facts.path);
  const names = [path];
  const home = facts.home === null ? usualHome.exec(path)?.[0] : normal(facts.home);
  if (home !== undefined && path.startsWith(`${home}/`)) names.push(`~${path.slice(home.length)}`);
  return patterns.some((pattern) => {
    const steps = normal(pattern).split('/');
    return names.some((name) => matches(steps, name.split('/'), '**', isName));
  });
}
