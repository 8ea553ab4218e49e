/**
 * Scans of one place, one after another, in a process that lives on. What holds from one to the next is
 * kept: the indexed catalogue, what programs are by their contents, the roots, the readings of everything,
 * and what each process was. The world is made anew for every scan. Invariant: roots and readings stand
 * only while people, places and what is asked for are the same, and every place on the disk that was
 * looked at for them is as it was.
 */
import { builtInCatalogue, indexCatalogue } from '../policies/catalogue.js';
import type { Catalogue, CatalogueDocument } from '../policies/catalogue.js';
import type { Component } from '../policies/component.js';
import { createContentsCache, type FileCache, type SavedCache } from './detect/contents-cache.js';
import {
  detectors,
  watchedFolders,
  type Detector,
  type ProcessEntry,
  type Reader,
  type Reading,
  type Root,
  type World,
} from './detect/index.js';
import { homesWorld, machineWorld } from './detect/world.js';
import { LookedAt, PlaceStamps } from './looked-at.js';
import type { AskedFor } from './rules.js';
import { planRoots, prepareScan, scanSteps, uniteReadings, type Planned } from './scan.js';

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
  /** An empty set: only whether there are other roots now. */
  readonly roots: ReadonlySet<string> | 'all';
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
  /** Roots whose readings were made for this scan; all others stand from an earlier one. */
  readonly fresh: ReadonlySet<string>;
  readonly durationMs: number;
  /** Programs told by their contents. */
  readonly told: SavedCache;
}

/** What is kept from one scan to the next. */
export interface Memory {
  catalogue: Catalogue | null;
  contents: FileCache | null;
  plan: KeptPlan | null;
  /** The folders to watch of roots where they depend on what lies there. */
  readonly watches: Map<string, Watched>;
  /** The readings of all roots of a detector, if nothing was left open. */
  readonly read: Map<Detector, Readings>;
  /** People, places and what was asked for, the last time. */
  shape: string;
  /** What each process that still runs was found to be, by its mark. */
  running: Map<string, readonly Component[]>;
}

interface KeptPlan {
  /** What the roots depend on besides the disk. */
  readonly shape: string;
  readonly byDetector: ReadonlyMap<Detector, Named>;
}

interface Watched {
  readonly shape: string;
  readonly folders: readonly string[];
  /** null: not all of it is known. */
  readonly looked: LookedAt | null;
}

interface Readings {
  readonly shape: string;
  readonly readings: readonly Reading[];
  readonly looked: LookedAt;
}

/** The roots that a detector has named, and what it has looked at for that; null: not all of it is known. */
interface Named {
  /** Those that its roots name. */
  readonly homes: World['homes'];
  readonly roots: readonly Planned[];
  readonly looked: LookedAt | null;
}

export const newMemory = (): Memory => ({
  catalogue: null,
  contents: null,
  plan: null,
  watches: new Map(),
  read: new Map(),
  shape: '',
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
  const startMs = performance.now();
  const scene = sceneOf(place, request, memory);
  const { world } = scene;
  await prepareScan(world);
  const named = planFor(scene, memory, request.roots);
  const plan = named.map((one) => withWatch(one, { scene, memory }, request.roots));
  const ids = new Set(plan.map(({ root }) => root.id));
  for (const id of memory.watches.keys()) if (!ids.has(id)) memory.watches.delete(id);
  const roots = plan.map(({ root }) => root);
  steps.plan(roots);
  const { roots: wanted, skip } = request;
  const isWanted = ({ root: { id } }: Planned): boolean =>
    (wanted === 'all' || wanted.has(id)) && !skip.has(id);
  const readings: Reading[] = [];
  const fresh = new Set<string>();
  for (const [detector, all] of Map.groupBy(plan, (planned) => planned.detector)) {
    const chosen = all.filter(isWanted);
    if (chosen.length === 0) continue;
    const isWhole = chosen.length === all.length && detector.channel !== 'process';
    const known = isWhole ? knownReadings(detector, chosen, { scene, memory }) : null;
    readings.push(...(known ?? (await readRoots(chosen, isWhole, { scene, memory, steps }))));
    if (known === null) for (const { root } of chosen) fresh.add(root.id);
  }
  scene.forget();
  const homes = world.homes.map(({ account, path }) => ({ account, path }));
  const told = memory.contents?.tools() ?? { catalogue: world.catalogue.sha256, files: [] };
  const durationMs = Math.round(performance.now() - startMs);
  return { roots, homes, readings: uniteReadings(readings), fresh, durationMs, told };
}

/** What a part of a scan works with. */
interface Work {
  readonly scene: Scene;
  readonly memory: Memory;
}

/** The root with all that is to be watched of it, looked up anew where it may have changed. */
function withWatch(
  planned: Planned,
  { scene, memory }: Work,
  wanted: ScanRequest['roots'],
): Planned {
  const { root, detector, failures } = planned;
  if (detector.watch === undefined || failures.length > 0) return planned;
  const known = memory.watches.get(root.id);
  const isAsked = wanted === 'all' || wanted.size === 0 || wanted.has(root.id);
  const isSound =
    known?.shape === scene.shape && (!isAsked || known.looked?.isSame(scene.stamps) === true);
  const watched = isSound ? known : watchedOf(planned, scene);
  memory.watches.set(root.id, watched);
  return { ...planned, root: { ...root, watch: watched.folders } };
}

function watchedOf(planned: Planned, scene: Scene): Watched {
  const looked = scene.lookAt();
  const own = scene.alone();
  const [{ root } = planned] = inHomes({ roots: [planned], homes: scene.world.homes }, own.homes);
  const { shape, isAllSeen } = scene;
  try {
    const folders = watchedFolders(planned.detector, root, own);
    return { shape, folders, looked: isAllSeen ? looked : null };
  } catch {
    // What cannot be told now is asked again, and the full scan does without.
    return { shape, folders: root.watch, looked: null };
  }
}

/** The readings of all roots of a detector, when they need not be made again. */
function knownReadings(
  detector: Detector,
  chosen: readonly Planned[],
  { scene: { shape, stamps }, memory }: Work,
): readonly Reading[] | null {
  const known = memory.read.get(detector);
  if (known?.shape !== shape || known.readings.length !== chosen.length) return null;
  const ids = new Set(known.readings.map(({ root }) => root.id));
  const isSamePlan = chosen.every(({ root }) => ids.has(root.id));
  return isSamePlan && known.looked.isSame(stamps) ? known.readings : null;
}

/** Reads roots of one detector; `isWhole`: all that it has. */
async function readRoots(
  chosen: readonly Planned[],
  isWhole: boolean,
  { scene, memory, steps }: Work & { readonly steps: Steps },
): Promise<readonly Reading[]> {
  const looked = scene.lookAt();
  const own = scene.alone();
  const plan = inHomes({ roots: chosen, homes: scene.world.homes }, own.homes);
  const reading = scanSteps(own, { plan });
  let step = reading.next();
  for (; step.done !== true; step = reading.next()) {
    const pause = steps.at(step.value);
    if (pause !== null) await pause;
  }
  const { readings } = step.value;
  const [{ detector } = { detector: null }] = chosen;
  const isSound = scene.isAllSeen && isWhole && isToStand(readings, memory);
  if (detector !== null && isSound) {
    memory.read.set(detector, { shape: scene.shape, readings, looked });
  }
  return readings;
}

/** What another look at the very same places may find otherwise. */
const passing: ReadonlySet<string> = new Set(['timeout', 'vanished', 'io']);

/** Nothing was cut short, and no program was left for later. */
function isToStand(readings: readonly Reading[], { contents }: Memory): boolean {
  const isPassing = readings.some(
    ({ status, problems }) =>
      status === 'timeout' || problems.some(({ code }) => passing.has(code)),
  );
  return !isPassing && (contents?.pending ?? 0) === 0;
}

/** A world of now, with readers that remember in one place what they were asked. */
interface Scene {
  readonly world: World;
  readonly shape: string;
  /** The same world for one detector alone, so that what it has looked at is not known from another. */
  alone(): World;
  /** At the end: what the disk was seen to hold is dropped. */
  forget(): void;
  /** Makes that place another, and answers it. */
  lookAt(): LookedAt;
  /** How places are in this scan. */
  readonly stamps: PlaceStamps;
  /** Whether everything that detectors look at is seen by the readers: no registry, no world inside. */
  readonly isAllSeen: boolean;
}

function sceneOf(place: Place, request: ScanRequest, memory: Memory): Scene {
  const catalogue = catalogueFor(request, memory);
  const options = { catalogue, named: request.asked.named, processes: request.processes };
  const built =
    place.kind === 'machine'
      ? machineWorld({ ...options, ...place })
      : homesWorld(place.folders, { ...options, ...place });
  const anywhere = built.reader({ within: [built.path.parse(built.path.resolve('/')).root] });
  const stamps = new PlaceStamps(anywhere);
  let looked = new LookedAt(built.path, stamps);
  // Each detector ends a scan of its own, and the next may still know what this one has seen.
  const { forget, ...rest } = built;
  const isAllSeen = built.registry === undefined && built.inside === undefined;
  const world: World = {
    ...rest,
    wholeChannels: request.asked.wholeChannels,
    contents: contentsFor(memory, catalogue, request.told),
    reader: (...asked) => looked.through(built.reader(...asked)),
  };
  return {
    world,
    shape: shapeOf(world),
    lookAt: () => (looked = new LookedAt(built.path, stamps)),
    alone: () =>
      isAllSeen ? { ...world, homes: world.homes.map((home) => ({ ...home })) } : world,
    forget: () => forget?.(),
    stamps,
    isAllSeen,
  };
}

/**
 * The roots. Those that a detector has named stand while all that it has looked at for them is as it was;
 * for single roots only detectors that have one of them are asked, the others as soon as there is time.
 */
function planFor(scene: Scene, memory: Memory, wanted: ScanRequest['roots']): readonly Planned[] {
  const { world, shape, stamps, isAllSeen } = scene;
  const before = memory.plan?.shape === shape ? memory.plan : null;
  if (memory.shape !== shape) memory.running = new Map();
  memory.shape = shape;
  const isSingle = wanted !== 'all' && wanted.size > 0;
  const kept = new Map<Detector, Named>();
  for (const [detector, named] of before?.byDetector ?? []) {
    const isAsked = !isSingle || named.roots.some(({ root }) => wanted.has(root.id));
    const isSound = named.looked !== null && (!isAsked || named.looked.isSame(stamps));
    if (isSound) kept.set(detector, named);
  }
  const byDetector = new Map(
    detectors
      .filter(({ channel }) => channel !== 'process')
      .map((one) => [one, kept.get(one) ?? nameRoots(one, scene)] as const),
  );
  memory.plan = isAllSeen ? { shape, byDetector } : null;
  const own = detectors.map((one) => (one.channel === 'process' ? oneByOne(one, memory) : one));
  const roots = new Map(
    [...byDetector].map(([one, named]) => [one, inHomes(named, world.homes)] as const),
  );
  return planRoots(world, own, roots);
}

function nameRoots(detector: Detector, { lookAt, alone, isAllSeen }: Scene): Named {
  const looked = lookAt();
  const own = alone();
  const roots = planRoots(own, [detector]);
  const isWhole = isAllSeen && roots.every(({ failures }) => failures.length === 0);
  return { homes: own.homes, roots, looked: isWhole ? looked : null };
}

/** Detectors compare homes, and remember things by them: roots get those of the world they are read in. */
function inHomes(
  { roots, homes }: Pick<Named, 'roots' | 'homes'>,
  now: World['homes'],
): readonly Planned[] {
  return roots.map((planned) => {
    const { root } = planned;
    const home = root.home === null ? undefined : now[homes.indexOf(root.home)];
    return home === undefined ? planned : { ...planned, root: { ...root, home } };
  });
}

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

/** The detector of processes, which reads one process after another and each only once in its life. */
function oneByOne(detector: Detector, memory: Memory): Detector {
  const read = (root: Root, world: World, reader: Reader): readonly Component[] => {
    const now = new Map<string, readonly Component[]>();
    // One world for all of them, because what detectors remember goes with it.
    const shown: { processes: readonly ProcessEntry[] } & World = { ...world, processes: [] };
    for (const entry of (world.processes ?? []) as readonly MarkedProcess[]) {
      const known = memory.running.get(entry.mark);
      if (known === undefined) shown.processes = [entry];
      now.set(entry.mark, known ?? detector.read(root, shown, reader));
    }
    memory.running = now;
    return [...now.values()].flat();
  };
  return { ...detector, read };
}
