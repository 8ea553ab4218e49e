/**
 * Which names folders hold, so that what is not there is told without asking for it. Kept for one scan;
 * it opens no file, and follows no link but those on the way to the folder it is asked for.
 */
import fs from 'node:fs';
import { onDisk } from './names.js';

/** So many names asked for in one folder cost more than the list of its names. */
const worthListing = 8;
/** In bytes of the folder itself: ext4 needs some 40 for a name. */
const largestListed = 64 * 1024;
/** Names kept in all, and folders counted; beyond that it begins anew. */
const maxNames = 200_000;
const maxFolders = 50_000;

/** The names in a folder, by how they are spelled and compare; how often it was asked until then; or that there is no telling. */
type Names = number | ReadonlyMap<string, string> | 'untold';

export interface FolderNames {
  /** How a name is spelled there; null: it is not there; undefined: that cannot be told from the list. */
  spelling(folder: string, name: string): string | null | undefined;
  clear(): void;
}

/**
 * The names in folders of which several were asked for, as detectors ask one home for hundreds of places
 * that are mostly not there. A folder that cannot be listed, or has too many names, is asked one by one.
 * Where names have no case every folder is listed, as the disk that stands for such a machine has it.
 */
export function namesOfFolders(isCaseless: boolean): FolderNames {
  const known = new Map<string, Names>();
  const keyOf = (name: string): string => (isCaseless ? name.toLowerCase() : name);
  let kept = 0;
  const list = (folder: string): Names => {
    const names = namesIn(folder);
    if (names === 'untold') return names;
    kept += names.length;
    // Of names that differ by case alone, each as it is spelled.
    const folded = isCaseless ? names.map((name) => [keyOf(name), name] as const) : [];
    return new Map([...folded, ...names.map(same)]);
  };
  const clear = (): void => {
    known.clear();
    kept = 0;
  };
  return {
    clear,
    spelling(folder, name) {
      let names = known.get(folder) ?? 0;
      if (typeof names === 'number') {
        if (kept > maxNames || known.size > maxFolders) clear();
        const isWorth = isCaseless || names + 1 >= worthListing;
        names = isWorth ? list(folder) : names + 1;
        known.set(folder, names);
      }
      if (typeof names !== 'object') return undefined;
      const own = names.get(name) ?? names.get(keyOf(name));
      // A name in another case than asked for is rare, and one that came meanwhile is still found.
      return own ?? (isCaseless ? undefined : null);
    },
  };
}

const same = (name: string): readonly [string, string] => [name, name];

/** All names in a folder, unless it is so large that this would cost more than asking. */
function namesIn(folder: string): readonly string[] | 'untold' {
  try {
    const { size } = fs.statSync(onDisk(folder));
    if (size > largestListed) return 'untold';
    const names = fs.readdirSync(onDisk(folder));
    // A name that is no text may be any that is asked for.
    return names.some((name) => name.includes('\ufffd')) ? 'untold' : names;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? [] : 'untold';
  }
}
