/**
 * fapolicyd for Linux: denials by whole path and by folder, in a file that sorts before the stock rule
 * that allows what is trusted, and notes on trusting what is approved. It denies named places only; what
 * lies outside the package database is denied by fapolicyd's own last rules, not by these. Rules of
 * fapolicyd 1.x: no patterns, no blanks in a path.
 */
import { denialsOf, type Denials, type Judged } from './denials.js';
import type { Compiled, Target } from './index.js';
import { blockablePaths, placeOfFolder, sparedPlaces, whyKept, whyNotPlace } from './places.js';
import { isBlocked, isMild, unexpressed, usualWarnings } from './words.js';

/** A file or, with a slash at its end, a folder with all below it. */
type Place = string;

/** What a rule of 1.x can hold: https://man7.org/linux/man-pages/man5/fapolicyd.rules.5.html. */
const isSayable = (place: Place): boolean => /^\/[A-Za-z0-9._@+/-]+$/.test(place);

/** Where a machine's global packages and commands lie by the habits of the distributions. */
function placesOf({ kind, name, folder }: Judged): Place[] {
  const place = placeOfFolder(folder, 'linux');
  switch (kind) {
    case 'folder':
      return place === null ? [] : [place];
    case 'npm':
      return ['/usr/lib/node_modules', '/usr/local/lib/node_modules'].map(
        (top) => `${top}/${name}/`,
      );
    case 'command':
      return ['/usr/bin', '/usr/local/bin'].map((top) => `${top}/${name}`);
    case 'homebrewFormula':
      return [`/home/linuxbrew/.linuxbrew/Cellar/${name}/`];
    default:
      return [];
  }
}

interface Blocked {
  readonly places: readonly Place[];
  readonly written: ReadonlySet<Judged>;
  readonly expressedRules: ReadonlySet<string>;
}

function blockedOf(denials: Denials, spared: readonly string[]): Blocked {
  const places = new Set<Place>();
  const written = new Set<Judged>();
  const isFree = (place: Place): boolean =>
    whyKept(place.endsWith('/') ? `${place}*` : place, 'linux', spared) === null;
  for (const one of denials.identities.filter(isBlocked)) {
    if (one.kind === 'folder' && whyNotPlace(one, 'linux', spared) !== null) continue;
    const found = placesOf(one).filter((place) => isSayable(place) && isFree(place));
    for (const place of found) places.add(place);
    // A package has other places beside the machine's, so that it is told of all the same.
    if (found.length > 0 && one.kind !== 'npm') written.add(one);
  }
  const expressedRules = new Set<string>();
  for (const rule of denials.inForce.filter((one) => !isMild(one))) {
    const found = blockablePaths(rule, 'linux', spared);
    if (found.length === 0 || !found.every(isSayable)) continue;
    for (const place of found) places.add(place);
    expressedRules.add(rule.rule);
  }
  return { places: [...places].sort(), written, expressedRules };
}

function rulesText(policy: string, places: readonly Place[]): string {
  const lines = places.map((place) => {
    const field = place.endsWith('/') ? 'dir' : 'path';
    return `deny_syslog perm=execute all : ${field}=${place}`;
  });
  return [
    `# Written by Curfew from the policy ${policy}. Do not edit.`,
    '# Denies these places alone; all else is decided by the rules after it.',
    ...lines,
    '',
  ].join('\n');
}

const oneLine = (text: string): string => text.replace(/[\u0000-\u001F\u007F']/g, ' ');

/** How an admin trusts what is approved: a digest of the file as it is on the machine. */
function trustNotes(denials: Denials): string {
  const approved = denials.identities.filter(
    ({ isPermitted, kind, folder }) =>
      isPermitted && kind === 'folder' && placeOfFolder(folder, 'linux') !== null,
  );
  const lines = approved
    .filter(({ folder }) => folder?.bundled === false)
    .map(
      ({ name, tool }) =>
        `# ${oneLine(tool?.name ?? name)}\n# fapolicyd-cli --file add '${oneLine(name)}' --trust-file curfew`,
    );
  return [
    '# What is approved and not installed as a package has to be trusted before fapolicyd lets it run.',
    '# Trust is of one file as it is: fill in the place on the machine, and do it again after an update.',
    ...[...new Set(lines)].sort(),
    '# Then: fapolicyd-cli --update',
    '',
  ].join('\n');
}

const whyNot = (one: Judged, spared: readonly string[]): string | null => {
  switch (one.kind) {
    case 'npm':
    case 'pypi':
      return 'outside the machine-wide folder its files differ from home to home';
    case 'editorExtension':
    case 'jetbrainsPlugin':
    case 'browserExtension':
      return 'an extension is loaded by its host and never executed';
    case 'dpkg':
    case 'rpm':
      return 'the catalogue does not have the files of its package';
    case 'snap':
    case 'flatpak':
      return 'it runs from an image that fapolicyd does not watch';
    case 'folder': {
      const place = placeOfFolder(one.folder, 'linux');
      const why = whyNotPlace(one, 'linux', spared);
      if (place === null || why !== null) return why;
      return 'it lies in a home, and a rule has no pattern; fapolicyd denies it as long as nobody trusts it';
    }
    default:
      return null;
  }
};

export const fapolicyd: Target = {
  id: 'fapolicyd',
  title: 'fapolicyd',
  canAllowList: false,
  compile: (input): Compiled => {
    const denials = denialsOf(input);
    const spared = sparedPlaces(denials, 'linux');
    const { places, written, expressedRules } = blockedOf(denials, spared);
    return {
      files: [
        {
          name: 'fapolicyd/38-curfew.rules',
          text: rulesText(input.policy.policy, places),
          purpose: 'to /etc/fapolicyd/rules.d, then fagenrules --load',
        },
        {
          name: 'fapolicyd/trust-notes.txt',
          text: trustNotes(denials),
          purpose: 'what to trust, for the admin to read',
        },
      ],
      notExpressible: unexpressed(denials, written, {
        ...{ product: 'fapolicyd', isBlocking: true, expressedRules },
        whyNot: (_, one) => whyNot(one, spared),
      }),
      warnings: [
        ...usualWarnings(input, denials),
        'fapolicyd has no audit of single rules: try the file with permissive = 1 first',
      ],
    };
  },
};
