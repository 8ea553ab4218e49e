/**
 * The thread in which scans run, so that a folder that hangs stops nothing but its own read. It builds
 * the world, names the roots, and says which root it is at before it reads it: the scanner outside
 * measures the time from that. `runScan` is the same work for where there is no thread.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { builtInCatalogue, indexCatalogue } from '../policies/catalogue.js';
import type { Catalogue, CatalogueDocument } from '../policies/catalogue.js';
import { createContentsCache, type FileCache, type SavedCache } from './detect/contents-cache.js';
import {
  detectors,
  type ProcessEntry,
  type Reading,
  type Root,
  type World,
} from './detect/index.js';
import { homesWorld, machineWorld } from './detect/world.js';
import type { AskedFor } from './rules.js';
import { planRoots, prepareScan, scanWorld } from './scan.js';

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

export interface ScanRequest {
  readonly roots: ReadonlySet<string> | 'all';
  readonly asked: AskedFor;
  /** The catalogue of the bundle, or null for the one of this build. */
  readonly catalogue: { readonly sha256: string; readonly document: CatalogueDocument } | null;
  readonly processes: readonly ProcessEntry[] | null;
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

/** What a scanner keeps from one scan to the next. */
export interface Memory {
  contents: FileCache | null;
}

/** What the thread says, in this order: the plan, each root as it is begun, the outcome. */
export type WorkerMessage =
  | { readonly kind: 'plan'; readonly roots: readonly Root[] }
  | { readonly kind: 'at'; readonly root: string }
  | { readonly kind: 'outcome'; readonly outcome: ScanOutcome }
  | { readonly kind: 'failed'; readonly message: string };

function buildWorld(place: Place, request: ScanRequest): World {
  const { catalogue, asked, processes } = request;
  const options = {
    catalogue:
      catalogue === null
        ? builtInCatalogue()
        : indexCatalogue(catalogue.document, catalogue.sha256),
    named: asked.named,
    processes,
  };
  const world =
    place.kind === 'machine'
      ? machineWorld({ ...options, ...place })
      : homesWorld(place.folders, { ...options, ...place });
  return { ...world, wholeChannels: asked.wholeChannels };
}

/** With another catalogue every program is looked into again, and the old answers stand until then. */
function contentsFor(memory: Memory, { sha256 }: Catalogue, told: SavedCache | null): FileCache {
  const known = memory.contents;
  const cache =
    known?.catalogue === sha256 ? known : createContentsCache(sha256, known?.tools() ?? told);
  memory.contents = cache;
  return cache;
}

/** One scan of a place. `say` hears of the plan and of each root before it is read. */
export async function runScan(
  place: Place,
  request: ScanRequest,
  memory: Memory,
  say: (message: WorkerMessage) => void = () => {},
): Promise<ScanOutcome> {
  const built = buildWorld(place, request);
  const contents = contentsFor(memory, built.catalogue, request.told);
  const world = { ...built, contents };
  await prepareScan(world);
  const roots = planRoots(world);
  say({ kind: 'plan', roots });
  const wanted = request.roots === 'all' ? roots.map(({ id }) => id) : [...request.roots];
  const chosen = new Set(wanted.filter((id) => !request.skip.has(id)));
  const announced = detectors.map((detector) => ({
    ...detector,
    read: (root: Root, ...rest: [World, Parameters<typeof detector.read>[2]]) => {
      say({ kind: 'at', root: root.id });
      return detector.read(root, ...rest);
    },
  }));
  const { readings, durationMs } = scanWorld(world, { roots: chosen, detectors: announced });
  const homes = world.homes.map(({ account, path }) => ({ account, path }));
  return { roots, homes, readings, durationMs, told: contents.tools() };
}

const port = parentPort;
if (port !== null && workerData !== null && typeof workerData === 'object') {
  const { curfewPlace: place } = workerData as { curfewPlace?: Place };
  if (place !== undefined) {
    const memory: Memory = { contents: null };
    const answer = (message: WorkerMessage): void => port.postMessage(message);
    port.on('message', (request: ScanRequest) => {
      runScan(place, request, memory, answer).then(
        (outcome) => answer({ kind: 'outcome', outcome }),
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          answer({ kind: 'failed', message });
        },
      );
    });
  }
}
