/**
 * Scans of one place, one after another, in a process that lives on. What holds from one to the next is
 * kept: the indexed catalogue, what programs are by their contents, the roots, and what each process was.
 * The world is made anew for every scan, so nothing that was read outlives it. Invariant: roots are kept
 * only while people, their places and what is asked for are the same, and a detector whose root is asked
 * for always names its roots anew.
 */
import { builtInCatalogue, indexCatalogue } from '../policies/catalogue.js';
import type { Catalogue, CatalogueDocument } from '../policies/catalogue.js';
import type { Component } from '../policies/component.js';
import { createContentsCache, type FileCache, type SavedCache } from './detect/contents-cache.js';
import {
  channelDetectors,
  detectors,
  type Detector,
  type ProcessEntry,
  type Reader,
  type Reading,
  type Root,
  type World,
} from './detect/index.js';
import { homesWorld, machineWorld } from './detect/world.js';
import type { AskedFor } from './rules.js';
import { planRoots, prepareScan, scanSteps, type Planned } from './scan.js';

/** What is looked at. */
export type Place =
  | {
      readonly kind: 'machine';
      readonly takesOwnEnvironment: boolean;
      readonly isOwnHomeOnly: boolean;
      readonly hasNetworkHomes?: boolean;
    }
  | {
      readonly kind: 'homes';
      readonly folders: readonly string[];
      readonly hasNetworkHomes?: boolean;
    };

/** A process with what tells it from any other that had its number, and from itself before an exec. */
export interface MarkedProcess extends ProcessEntry {
  readonly mark: string;
}

export interface ScanRequest {
  readonly roots: ReadonlySet<string> | 'all';
  /** False: all roots are named anew, also where none of a detector's is asked for. */
  readonly keepsRoots: boolean;
  readonly asked: AskedFor;
  /** The catalogue of the bundle, whole or only its hash if it was sent before; null: that of this build. */
  readonly catalogue: {
    readonly sha256: string;
    readonly document: CatalogueDocument | null;
  } | null;
  readonly processes: readonly MarkedProcess[] | null;
  /** Roots that hung and are not to be tried now. */
  readonly skip: ReadonlySet<string>;
  /** Programs told by their contents before this scanner or its thread began. */
  readonly told: SavedCache | null;
}

export interface ScanOutcome {
  /** All roots of the world, read or not. */
  readonly roots: readonly Root[];
  readonly homes: readonly { readonly account: string; readonly path: string }[];
  readonly readings: readonly Reading[];
  readonly durationMs: number;
  /** Programs told by their contents. */
  readonly told: SavedCache;
}

/** What is kept from one scan to the next. */
export interface Memory {
  catalogue: Catalogue | null;
  contents: FileCache | null;
  plan: KeptPlan | null;
  /** What each process that still runs was found to be, by its mark. */
  running: Map<string, readonly Component[]>;
}

interface KeptPlan {
  /** What the roots depend on besides the disk below them. */
  readonly shape: string;
  readonly homes: World['homes'];
  readonly roots: readonly Planned[];
}

export const newMemory = (): Memory => ({
  catalogue: null,
  contents: null,
  plan: null,
  running: new Map(),
});

/** Hears of a scan as it goes on. */
export interface Steps {
  plan(roots: readonly Root[]): void;
  /** A root is about to be read; what is answered is waited for. */
  at(root: Root): Promise<void> | null;
}

/** One scan of a place. Errors: whatever makes it impossible to name the roots. */
export async function runScan(
  place: Place,
  request: ScanRequest,
  memory: Memory,
  steps: Steps,
): Promise<ScanOutcome> {
  const { world, kept } = worldFor(place, request, memory);
  await prepareScan(world);
  const isFull = request.roots === 'all';
  const own = detectors.map((one) =>
    one.channel === 'process' ? oneByOne(one, memory, isFull) : one,
  );
  const plan = planRoots(world, own, kept);
  const roots = plan.map(({ root }) => root);
  steps.plan(roots);
  const wanted = request.roots === 'all' ? roots.map(({ id }) => id) : [...request.roots];
  const chosen = new Set(wanted.filter((id) => !request.skip.has(id)));
  const reading = scanSteps(world, { roots: chosen, plan });
  for (;;) {
    const step = reading.next();
    if (step.done !== true) {
      const pause = steps.at(step.value);
      if (pause !== null) await pause;
      continue;
    }
    const { readings, durationMs } = step.value;
    const homes = world.homes.map(({ account, path }) => ({ account, path }));
    const told = memory.contents?.tools() ?? { catalogue: world.catalogue.sha256, files: [] };
    memory.plan = { shape: shapeOf(world), homes: world.homes, roots: plan };
    return { roots, homes, readings, durationMs, told };
  }
}

/** The world of now, and the roots that need not be named again in it. */
function worldFor(
  place: Place,
  request: ScanRequest,
  memory: Memory,
): { readonly world: World; readonly kept: ReadonlyMap<Detector, readonly Planned[]> } {
  const catalogue = catalogueFor(request, memory);
  const options = { catalogue, named: request.asked.named, processes: request.processes };
  const built =
    place.kind === 'machine'
      ? machineWorld({ ...options, ...place })
      : homesWorld(place.folders, { ...options, ...place });
  const wholeChannels = request.asked.wholeChannels;
  const contents = contentsFor(memory, catalogue, request.told);
  const world = { ...built, wholeChannels, contents };
  const { plan } = memory;
  const { roots, keepsRoots } = request;
  if (plan === null || !keepsRoots || roots === 'all' || plan.shape !== shapeOf(world)) {
    return { world, kept: new Map() };
  }
  // Roots name their home, and detectors compare homes.
  return { world: { ...world, homes: plan.homes }, kept: keptRoots(plan.roots, roots) };
}

/** All but those of detectors that are asked for, could not see everything, or look at more than the disk. */
function keptRoots(
  roots: readonly Planned[],
  wanted: ReadonlySet<string>,
): ReadonlyMap<Detector, readonly Planned[]> {
  const known = new Set(roots.map(({ root }) => root.id));
  const isForeign = [...wanted].some((id) => id !== processesRoot && !known.has(id));
  if (isForeign) return new Map();
  const kept = Map.groupBy(roots, ({ detector }) => detector);
  for (const [detector, own] of kept) {
    const isAsked = own.some(({ root, failures }) => wanted.has(root.id) || failures.length > 0);
    const isOfDisk = channelDetectors.includes(detector) && detector.channel !== 'process';
    if (isAsked || !isOfDisk) kept.delete(detector);
  }
  // One that had no root may have none.
  for (const detector of channelDetectors) {
    const hasNone = !roots.some((one) => one.detector === detector);
    if (hasNone && detector.channel !== 'process') kept.set(detector, []);
  }
  return kept;
}

const processesRoot = 'processes';

function shapeOf({ catalogue, named, wholeChannels, ...world }: World): string {
  return JSON.stringify([
    catalogue.sha256,
    [...(named ?? [])].map(([ecosystem, names]) => [ecosystem, ...names]),
    [...(wholeChannels ?? [])],
    world.homes,
    [...world.homePath],
    world.systemPath,
    world.unread,
  ]);
}

/** Indexed once for each catalogue. */
function catalogueFor({ catalogue }: ScanRequest, memory: Memory): Catalogue {
  if (catalogue === null) return builtInCatalogue();
  const { sha256, document } = catalogue;
  const known = [memory.catalogue, builtInCatalogue()].find((one) => one?.sha256 === sha256);
  if (known == null && document === null) throw new Error(`catalogue ${sha256} was never sent`);
  const indexed = known ?? indexCatalogue(document as CatalogueDocument, sha256);
  memory.catalogue = indexed;
  return indexed;
}

/** With another catalogue every program is looked into again, and the old answers stand until then. */
function contentsFor(memory: Memory, { sha256 }: Catalogue, told: SavedCache | null): FileCache {
  const known = memory.contents;
  const cache =
    known?.catalogue === sha256 ? known : createContentsCache(sha256, known?.tools() ?? told);
  memory.contents = cache;
  return cache;
}

/**
 * The detector of processes, which reads one process after another and each only once; a full scan reads
 * all of them anew, as what lies beside a program may have changed under it.
 */
function oneByOne(detector: Detector, memory: Memory, isFull: boolean): Detector {
  const read = (root: Root, world: World, reader: Reader): readonly Component[] => {
    const before = isFull ? new Map<string, readonly Component[]>() : memory.running;
    const now = new Map<string, readonly Component[]>();
    // One world for all of them, because what detectors remember goes with it.
    const shown: { processes: readonly ProcessEntry[] } & World = { ...world, processes: [] };
    for (const entry of (world.processes ?? []) as readonly MarkedProcess[]) {
      const known = before.get(entry.mark);
      if (known === undefined) shown.processes = [entry];
      now.set(entry.mark, known ?? detector.read(root, shown, reader));
    }
    memory.running = now;
    return [...now.values()].flat();
  };
  return { ...detector, read };
}
