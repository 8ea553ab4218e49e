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
  type Detector,
  type ProcessEntry,
  type Reader,
  type Reading,
  type Root,
  type World,
} from './detect/index.js';
import { homesWorld, machineWorld } from './detect/world.js';
import { LookedAt } from './looked-at.js';
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
  readonly durationMs: number;
  /** Programs told by their contents. */
  readonly told: SavedCache;
}

/** What is kept from one scan to the next. */
export interface Memory {
  catalogue: Catalogue | null;
  contents: FileCache | null;
  plan: KeptPlan | null;
  /** The readings of the last scan of everything, if nothing was left open. */
  whole: { readonly readings: readonly Reading[]; readonly looked: LookedAt } | null;
  /** What each process that still runs was found to be, by its mark. */
  running: Map<string, readonly Component[]>;
}

interface KeptPlan {
  /** What the roots depend on besides the disk. */
  readonly shape: string;
  readonly looked: LookedAt;
  readonly homes: World['homes'];
  readonly roots: readonly Planned[];
}

export const newMemory = (): Memory => ({
  catalogue: null,
  contents: null,
  plan: null,
  whole: null,
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
  const isFull = request.roots === 'all';
  const plan = planFor(scene, memory);
  const roots = plan.map(({ root }) => root);
  steps.plan(roots);
  const wanted = request.roots === 'all' ? roots.map(({ id }) => id) : request.roots;
  const chosen = new Set([...wanted].filter((id) => !request.skip.has(id)));
  const known = knownReadings(scene, memory, chosen);
  // What lies beside a program may have changed under it.
  if (isFull && known.size === 0) memory.running = new Map();
  const looked = scene.lookAt();
  const reading = scanSteps(world, {
    roots: new Set([...chosen].filter((id) => !known.has(id))),
    plan,
  });
  let step = reading.next();
  for (; step.done !== true; step = reading.next()) {
    const pause = steps.at(step.value);
    if (pause !== null) await pause;
  }
  const { readings } = step.value;
  if (known.size === 0) memory.whole = isFull ? wholeOf(readings, looked, memory) : memory.whole;
  const homes = world.homes.map(({ account, path }) => ({ account, path }));
  const told = memory.contents?.tools() ?? { catalogue: world.catalogue.sha256, files: [] };
  const all = [...readings, ...known.values()];
  return { roots, homes, readings: all, durationMs: Math.round(performance.now() - startMs), told };
}

/** A world of now, with readers that remember in one place what they were asked. */
interface Scene {
  readonly world: World;
  readonly shape: string;
  /** Makes that place another, and answers it. */
  lookAt(): LookedAt;
  /** A reader that has seen nothing yet and may ask about any place. */
  readonly anywhere: Reader;
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
  let looked = new LookedAt(built.path, anywhere);
  const world: World = {
    ...built,
    wholeChannels: request.asked.wholeChannels,
    contents: contentsFor(memory, catalogue, request.told),
    reader: (...asked) => looked.through(built.reader(...asked)),
  };
  const shape = shapeOf(world);
  const isSameShape = memory.plan?.shape === shape;
  return {
    // Roots name their home, and detectors compare homes.
    world: isSameShape ? { ...world, homes: memory.plan?.homes ?? world.homes } : world,
    shape,
    lookAt: () => (looked = new LookedAt(built.path, anywhere)),
    anywhere,
    isAllSeen: built.registry === undefined && built.inside === undefined,
  };
}

/** The roots: those of last time while all that they were named by is as it was. */
function planFor(scene: Scene, memory: Memory): readonly Planned[] {
  const { world, shape, anywhere, isAllSeen } = scene;
  const { plan } = memory;
  const own = detectors.map((one) => (one.channel === 'process' ? oneByOne(one, memory) : one));
  if (plan?.shape === shape && plan.looked.isSame(anywhere)) {
    const kept = Map.groupBy(plan.roots, ({ detector }) => detector);
    for (const one of detectors) if (!kept.has(one)) kept.set(one, []);
    return planRoots(world, own, kept);
  }
  memory.plan = memory.whole = null;
  const looked = scene.lookAt();
  const roots = planRoots(world, own);
  const isSound = isAllSeen && roots.every(({ failures }) => failures.length === 0);
  const ofDisk = roots.filter(({ detector }) => detector.channel !== 'process');
  if (isSound) memory.plan = { shape, looked, homes: world.homes, roots: ofDisk };
  return roots;
}

/** The readings that need not be made again, when everything is asked for and all of it is as it was. */
function knownReadings(
  { anywhere }: Scene,
  { plan, whole }: Memory,
  chosen: ReadonlySet<string>,
): ReadonlyMap<string, Reading> {
  const isAsked = plan !== null && plan.roots.every(({ root }) => chosen.has(root.id));
  if (whole === null || !isAsked || !whole.looked.isSame(anywhere)) return new Map();
  return new Map(whole.readings.map((reading) => [reading.root.id, reading]));
}

/** What may stand for the next scan: everything was read to its end, and no program is left for later. */
function wholeOf(
  readings: readonly Reading[],
  looked: LookedAt,
  { plan, contents }: Memory,
): Memory['whole'] {
  const isOpen = readings.some(({ status }) => status !== 'complete' && status !== 'absent');
  if (plan === null || isOpen || (contents?.pending ?? 0) > 0) return null;
  return { readings: readings.filter(({ root }) => root.channel !== 'process'), looked };
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

/** The detector of processes, which reads one process after another and each only once. */
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
