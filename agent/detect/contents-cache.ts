/**
 * What programs were found to be, by the file itself (device and inode), its size and its times, so that
 * none is read twice: a file may be replaced by one of the same size and date, but not of the same change
 * time. Plain data goes in and out; who keeps it between runs is not decided here. Answers
 * hold for one catalogue: with another, every file is looked into again.
 */
import type { Contents, ContentsCache, FileFacts } from './index.js';

/** One file and what it was found to be; null: nothing that the catalogue knows. */
export interface SavedContents {
  readonly fileId: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly path: string;
  readonly contents: Contents | null;
}

/** The whole of a cache, as it may be kept. */
export interface SavedCache {
  readonly catalogue: string;
  readonly files: readonly SavedContents[];
}

/** More files than this are not remembered; the longest unasked ones are forgotten. */
const maxFiles = 20_000;

/**
 * A cache for the catalogue with this hash, with what an earlier one had (`entries()`). Of another
 * catalogue's the files are looked into again; until then the last answer for their path stands.
 */
export function createContentsCache(catalogue: string, saved?: SavedCache | null): FileCache {
  return new FileCache(catalogue, saved ?? { catalogue, files: [] });
}

/** Owns the answers; see `createContentsCache`. */
export class FileCache implements ContentsCache {
  readonly catalogue: string;
  readonly #files = new Map<string, SavedContents>();
  readonly #byPath = new Map<string, SavedContents>();
  pending = 0;

  constructor(catalogue: string, saved: SavedCache) {
    this.catalogue = catalogue;
    for (const file of saved.files.slice(-maxFiles)) {
      if (saved.catalogue === catalogue) this.#keep(file);
      else this.#byPath.set(file.path, file);
    }
  }

  get({ fileId, size, mtimeMs, ctimeMs }: FileFacts): Contents | null | undefined {
    const known = this.#files.get(fileId);
    const isSame = known?.size === size && known.mtimeMs === mtimeMs && known.ctimeMs === ctimeMs;
    if (!isSame) return undefined;
    this.#keep(known);
    return known.contents;
  }

  earlier(path: string): Contents | null {
    return this.#byPath.get(path)?.contents ?? null;
  }

  set(path: string, facts: FileFacts, contents: Contents | null): void {
    const { fileId, size, mtimeMs, ctimeMs } = facts;
    this.#keep({ fileId, size, mtimeMs, ctimeMs, path, contents });
  }

  /** All that is known, longest unasked first. */
  entries(): SavedCache {
    return { catalogue: this.catalogue, files: [...this.#files.values()] };
  }

  /** The tools among it: what must not be forgotten, so that no restart takes one for removed. */
  tools(): SavedCache {
    const files = [...this.#files.values()].filter(({ contents }) => contents?.tool != null);
    return { catalogue: this.catalogue, files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
  }

  #keep(file: SavedContents): void {
    this.#files.delete(file.fileId);
    this.#files.set(file.fileId, file);
    this.#byPath.set(file.path, file);
    if (this.#files.size <= maxFiles) return;
    for (const [fileId, { path }] of this.#files) {
      this.#files.delete(fileId);
      if (this.#byPath.get(path)?.fileId === fileId) this.#byPath.delete(path);
      return;
    }
  }
}
