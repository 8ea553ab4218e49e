/**
 * Whether a person's home can be looked at, and if not, why: missing, empty where it should not be,
 * refused, on a share, or encrypted and locked. Such a home is `not scanned`; what it held the last time
 * stands. Its top is listed once at most, and nothing in it is opened.
 */
import type { Home, Problem, ProblemCode, Reader, Reading, World } from './index.js';

export type HomeTrouble = Pick<Reading, 'status' | 'problems'>;

/** null: the home is there and open. */
export function homeTrouble(home: Home, world: World, open: World['reader']): HomeTrouble | null {
  const reader = open({ within: [home.path] });
  const isThere = reader.target(home.path)?.kind === 'dir';
  // Looking for any name below it tells whether we may look at all, without listing the home.
  if (isThere) reader.facts(world.path.join(home.path, '.profile'));
  if (reader.problems.some(({ code }) => code === 'denied')) return trouble(home, 'denied');
  if (reader.problems.some(({ code }) => code === 'network-mount')) {
    return trouble(home, 'network-mount');
  }
  if (!isThere) return trouble(home, 'not-mounted');
  const mayBeEmpty = home.mayBeEmpty === true;
  if (mayBeEmpty && world.platform !== 'linux') return null;
  const names = reader.list(home.path).map(({ name }) => name);
  // A home that may be entered and not listed is not empty as far as we know.
  if (reader.problems.length > 0) return null;
  if (isLocked(names)) return trouble(home, 'locked');
  return !mayBeEmpty && isBare(names) ? trouble(home, 'not-mounted') : null;
}

function trouble({ path }: Home, code: ProblemCode): HomeTrouble {
  const problem: Problem = { path, code, isLoss: true };
  return { status: code === 'denied' ? 'unreadable' : 'unavailable', problems: [problem] };
}

/** What the system itself puts on an empty disk or leaves in a mount point. */
const ofSystem = new Set(['lost+found', '.snapshot', '.snapshots', '.zfs', '.DS_Store']);

const isBare = (names: readonly string[]): boolean => names.every((name) => ofSystem.has(name));

/** What ecryptfs leaves in a home until its owner signs in (ecryptfs-utils, ecryptfs-setup-private). */
const ecryptfsNotice = 'Access-Your-Private-Data.desktop';
/** The records at the top of an encrypted folder of gocryptfs, CryFS and EncFS. */
const cipherRecords = new Set(['gocryptfs.conf', 'cryfs.config', '.encfs6.xml']);

/** Whether names are those that a home shows while it is encrypted and its owner is not signed in. */
export function isLocked(names: readonly string[]): boolean {
  if (names.includes(ecryptfsNotice)) return true;
  if (names.some((name) => cipherRecords.has(name))) return true;
  const own = names.filter((name) => !ofSystem.has(name));
  const isImage = own.length === 1 && /\.(?:sparsebundle|sparseimage)$/.test(own[0] ?? '');
  return isImage || (own.length > 0 && own.every(isNokeyName));
}

/**
 * A name of fscrypt without its key: base64 of at least a cipher block, in either alphabet that the
 * kernel has used (fs/crypto/fname.c). No person's home has such names alone.
 */
const isNokeyName = (name: string): boolean =>
  /^[A-Za-z0-9+,_-]{22,}$/.test(name) && /[A-Z]/.test(name) && /[a-z]/.test(name);
