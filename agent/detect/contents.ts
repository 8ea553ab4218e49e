/**
 * What a program is by its contents, whatever it is called and wherever it lies: its macOS code
 * signature, the Go module it was built from, or a text that every build of one tool holds. Read in
 * pieces, within a budget of bytes per scan, and once per file. A text that tells of two tools tells
 * nothing: lists of such texts, as our own catalogue is one, are no tools.
 */
import type { Catalogue, Tool } from '../../policies/catalogue.js';
import { bunSources } from './bun-bundle.js';
import { signatureOf, type CodeSignature } from './code-signature.js';
import { createContentsCache } from './contents-cache.js';
import { createSearcher, type Searcher } from './contents-search.js';
import { layoutOf, type Layout, type ReadBytes, type Span } from './executable-format.js';
import { findGoModule, readGoModule, type GoModule } from './go-module.js';
import type { Contents, ContentsCache, FileFacts, Reader, World } from './index.js';

const MiB = 1024 * 1024;
/** A file that is begun is read on, so one big program more may be read than this. */
export const defaultContentBudgetBytes = 64 * MiB;
const deepBudgetBytes = 1024 * MiB;
const budgetTimeMs = 3_000;
const maxFileBytes = 512 * MiB;
const pieceBytes = MiB / 4;
/** Longer reads are looked through one after another: memory for each would stay with the process. */
const ownBytes = 64 * 1024;
let shared: Buffer | null = null;
/** Read twice, at the end of a piece and at the start of the next: longer than any text and its version. */
const overlapBytes = 2048;
/** How far behind the first text one of another tool is looked for. */
const doubtBytes = 4 * MiB;
const headBytes = 4096;
/** Its head and two texts of the most that `go-module.ts` takes, whatever a section says of itself. */
const goInfoBytes = 192 * 1024;

/** What one scan has read so far, and the texts it looks for. */
interface Effort {
  readonly cache: ContentsCache;
  readonly markers: Markers;
  leftBytes: number;
  readonly endMs: number;
}

interface Markers {
  readonly tools: readonly Tool[];
  readonly searcher: Searcher;
}

const efforts = new WeakMap<World, Effort>();
const markerLists = new WeakMap<Catalogue, Markers>();

function markersOf(catalogue: Catalogue): Markers {
  const known = markerLists.get(catalogue);
  if (known !== undefined) return known;
  const pairs = catalogue.tools.flatMap((tool) =>
    tool.identifiers.contentMarker.map((text) => ({ tool, text })),
  );
  const markers = {
    tools: pairs.map(({ tool }) => tool),
    searcher: createSearcher(pairs.map(({ text }) => text)),
  };
  markerLists.set(catalogue, markers);
  return markers;
}

function effortOf(world: World): Effort {
  const known = efforts.get(world);
  if (known !== undefined) return known;
  const { catalogue, contents, contentBudgetBytes, isDeep } = world;
  const cache = contents ?? createContentsCache(catalogue.sha256);
  cache.pending = 0;
  const effort = {
    cache,
    markers: markersOf(catalogue),
    leftBytes: contentBudgetBytes ?? (isDeep ? deepBudgetBytes : defaultContentBudgetBytes),
    endMs: performance.now() + budgetTimeMs * (isDeep ? 10 : 1),
  };
  efforts.set(world, effort);
  return effort;
}

/**
 * What a regular file is; null: nothing that the catalogue knows, or not known yet. With the budget used
 * up the last answer for the path stands, and the file is counted in `ContentsCache.pending`. `reader`
 * takes the problems of the reads: one whose problems mark no root.
 */
export function identifyContents(
  path: string,
  facts: FileFacts,
  world: World,
  reader: Reader,
): Contents | null {
  const effort = effortOf(world);
  const known = effort.cache.get(facts);
  if (known !== undefined) return known;
  if (effort.leftBytes <= 0 || performance.now() > effort.endMs) {
    effort.cache.pending += 1;
    return effort.cache.earlier(path);
  }
  let isRead = true;
  const read: ReadBytes = (offset, length) => {
    const isLong = length > ownBytes && length <= pieceBytes;
    const into = isLong ? (shared ??= Buffer.allocUnsafe(pieceBytes)) : undefined;
    const part = reader.part(path, offset, length, into);
    if (part === null) isRead = false;
    effort.leftBytes -= part?.bytes.length ?? 0;
    return part?.bytes ?? null;
  };
  const contents = examine(facts.size, world, effort, read);
  if (!isRead) return effort.cache.earlier(path);
  effort.cache.set(path, facts, contents);
  return contents;
}

/** How many files this scan has left for a later one. */
export function pendingContents(world: World): number {
  return efforts.get(world)?.cache.pending ?? 0;
}

/** The last that was known of a file that is gone. */
export function earlierContents(path: string, world: World): Contents | null {
  return effortOf(world).cache.earlier(path);
}

function examine(
  size: number,
  { catalogue }: World,
  { markers }: Effort,
  read: ReadBytes,
): Contents | null {
  const head = read(0, headBytes);
  if (head === null) return null;
  const layout = layoutOf(head, size, read);
  if (layout.kind === 'text' && !mayBeBundle(head)) return null;
  const place = layout.goInfo;
  const module =
    place === null
      ? undefined
      : readGoModule(
          read(place.offset, Math.min(place.length, goInfoBytes)) ?? head.subarray(0, 0),
        );
  if (module !== undefined) return ofModule(module, catalogue);
  const signature = signatureOf(layout, read);
  const signed = signature === null ? null : signedTool(signature, catalogue);
  // A signature says no version: for that the text is looked for all the same.
  const hasText = signed === null || signed.identifiers.contentMarker.length > 0;
  const found = hasText ? searchPlaces(layout, { read, markers, catalogue }) : null;
  const publisher = signature?.team == null ? {} : { publisher: signature.team };
  if (signed === null) return found === null ? null : { ...found, ...publisher };
  const version = found?.tool === signed.id ? found.version : null;
  return { tool: signed.id, version, evidence: 'code signature', ...publisher };
}

/** A script of another language only speaks of a tool, or starts it. */
function mayBeBundle(head: Buffer): boolean {
  const first = head.toString('latin1', 0, 200).split('\n', 1)[0] ?? '';
  return !first.startsWith('#!') || /\b(node|bun|deno|tsx)\b/.test(first);
}

function signedTool({ team, identifier }: CodeSignature, catalogue: Catalogue): Tool | null {
  return team === null ? null : catalogue.match('codeSignature', `${team}:${identifier}`);
}

/** A program of another module is another program; one without a host in its path says nothing. */
function ofModule({ path, version }: GoModule, catalogue: Catalogue): Contents | null {
  const tool = catalogue.match('goModule', path)?.id ?? null;
  const isPublished = path.slice(0, path.indexOf('/')).includes('.');
  return tool === null && !isPublished ? null : { tool, version, evidence: 'go module' };
}

interface Search {
  readonly read: ReadBytes;
  readonly markers: Markers;
  readonly catalogue: Catalogue;
}

/** The sources of a Bun program first, as they are a small part of it and say what it is. */
function searchPlaces({ kind, places }: Layout, search: Search): Contents | null {
  const isProgram = kind === 'elf' || kind === 'mach-o' || kind === 'pe';
  const sources = isProgram ? bunSources(places, search.read) : null;
  return searchSpans(sources ?? places, isProgram && sources === null, search);
}

function searchSpans(
  spans: readonly Span[],
  mayBeGo: boolean,
  { read, markers, catalogue }: Search,
): Contents | null {
  const found = new Map<Tool, string | null>();
  let left = maxFileBytes;
  for (const { offset, length } of spans) {
    for (let at = 0; at < length && left > 0; at += pieceBytes - overlapBytes) {
      const wanted = Math.min(pieceBytes, length - at, left);
      const piece = read(offset + at, wanted);
      if (piece === null || piece.length === 0) return null;
      const module = mayBeGo ? findGoModule(piece) : undefined;
      const contents = module === undefined ? null : ofModule(module, catalogue);
      if (contents !== null) return contents;
      const hadNone = found.size === 0;
      note(piece, markers, found);
      if (found.size > 1) return null;
      left = hadNone && found.size > 0 ? Math.min(left, doubtBytes) : left - wanted;
      if (wanted < pieceBytes) break;
    }
  }
  const [first] = found;
  return first === undefined
    ? null
    : { tool: first[0].id, version: first[1], evidence: 'content marker' };
}

function note(piece: Buffer, markers: Markers, found: Map<Tool, string | null>): void {
  markers.searcher.search(piece, (index, at) => {
    const tool = markers.tools[index] as Tool;
    const version = found.get(tool) ?? versionBehind(piece, at);
    found.set(tool, version);
    return found.size < 2;
  });
}

/** Bundlers write a package's name and version side by side. */
const version = /\b(?:VERSION|version)["']?\s{0,4}[:=]\s{0,4}["'](\d+\.\d+\.\d+[\w.+-]{0,60})["']/;
const versionReach = 400;

function versionBehind(piece: Buffer, at: number): string | null {
  return version.exec(piece.toString('latin1', at, at + versionReach))?.[1] ?? null;
}
