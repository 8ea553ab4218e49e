/**
 * One scan: every detector's roots in a world, each read with a time limit of its own, and what was
 * found united over roots. A detector that fails costs its root and nothing else. It knows nothing of
 * earlier scans and never decides what may be removed; each reading's status says that, also of roots
 * that could not be listed because a place on the way to them could not be read.
 */
import { componentStates, confidences, type Component } from '../policies/component.js';
import type { RootStatus } from '../policies/component.js';
import { homeOf } from './detect/component.js';
import { homeTrouble, type HomeTrouble } from './detect/homes.js';
import {
  detectors as allDetectors,
  type Detector,
  type Home,
  type Problem,
  type ProblemCode,
  type Reader,
  type Reading,
  type Root,
  type World,
} from './detect/index.js';

const defaultRootTimeMs = 10_000;

export interface ScanOptions {
  /** Ids of the roots to read; left out: all. */
  readonly roots?: ReadonlySet<string>;
  readonly rootTimeMs?: number;
  readonly detectors?: readonly Detector[];
  /** All roots of this very world, made just now; left out: made here. */
  readonly plan?: readonly Planned[];
}

export interface ScanResult {
  /** One per root that was to be read, in the detectors' order. A component that several roots show is the same record in each. */
  readonly readings: readonly Reading[];
  /** Each component once. */
  readonly components: readonly Component[];
  /** `complete`: every root was read to its end or is not there. */
  readonly status: 'complete' | 'partial';
  readonly durationMs: number;
}

/** A root and who reads it. */
export interface Planned {
  readonly root: Root;
  readonly detector: Detector;
  /** Not empty when the detector could not say all its roots: this one stands for the missing. */
  readonly failures: readonly Problem[];
}

/** A world that remembers the readers which were made to look around in it. */
interface Looking {
  readonly world: World;
  /** Readers made since this was last emptied. */
  readonly readers: Reader[];
  /** What each detector could not look at, by path; kept as detectors ask only once for some places. */
  readonly losses: Map<Detector, Map<string, Problem>>;
}

/** One per world, because detectors remember things by their world. */
const lookings = new WeakMap<World, Looking>();

function lookingAt(world: World): Looking {
  const known = lookings.get(world);
  if (known !== undefined) return known;
  const readers: Reader[] = [];
  const reader: World['reader'] = (...asked) => {
    const made = world.reader(...asked);
    readers.push(made);
    return made;
  };
  const looking = { world: { ...world, reader }, readers, losses: new Map() };
  lookings.set(world, looking);
  return looking;
}

/** Lets each detector load what this world needs. One that fails will say so of the roots concerned. */
export async function prepareScan(world: World, detectors = allDetectors): Promise<void> {
  const looking = lookingAt(world);
  for (const { prepare } of detectors) await prepare?.(looking.world).catch(() => {});
}

/**
 * The roots of a world as the detectors name them, each id once. A detector in `kept` is not asked: what
 * it named earlier in a world of the same people and places stands.
 */
export function planRoots(
  world: World,
  detectors = allDetectors,
  kept?: ReadonlyMap<Detector, readonly Planned[]>,
): readonly Planned[] {
  const planned = new Map<string, Planned>();
  const looking = lookingAt(world);
  for (const detector of detectors) {
    for (const one of kept?.get(detector) ?? rootsOf(detector, looking)) {
      if (!planned.has(one.root.id)) planned.set(one.root.id, one);
    }
  }
  return [...planned.values()];
}

/** One scan to its end. */
export function scanWorld(world: World, options: ScanOptions = {}): ScanResult {
  const steps = scanSteps(world, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same, root by root: each is named before it is read, and others may work in between. */
export function* scanSteps(world: World, options: ScanOptions = {}): Generator<Root, ScanResult> {
  const startMs = performance.now();
  // A world may be older than its scan.
  if (options.plan === undefined) world.forget?.();
  const planned = options.plan ?? planRoots(world, options.detectors ?? allDetectors);
  const looking = lookingAt(world);
  const context: Context = {
    world: looking.world,
    reader: (...asked) => world.reader(...asked),
    homes: new Map(),
    rootTimeMs: options.rootTimeMs ?? defaultRootTimeMs,
  };
  const readings: Reading[] = [];
  for (const one of planned) {
    if (options.roots !== undefined && !options.roots.has(one.root.id)) continue;
    yield one.root;
    readings.push(readRoot(one, context));
  }
  // What was looked up beside the roots while they were read hides no root.
  looking.readers.length = 0;
  world.forget?.();
  return resultOf(readings, startMs);
}

/** The same readings; a component that several roots show is one record in all of them. */
export function uniteReadings(readings: readonly Reading[]): readonly Reading[] {
  return withUnited(readings, unite(readings.flatMap(({ components }) => components)));
}

function withUnited(
  readings: readonly Reading[],
  united: ReadonlyMap<string, Component>,
): readonly Reading[] {
  return readings.map((reading) => ({
    ...reading,
    components: [...new Set(reading.components.map(({ id }) => id))].map(
      (id) => united.get(id) as Component,
    ),
  }));
}

function resultOf(readings: readonly Reading[], startMs: number): ScanResult {
  const united = unite(readings.flatMap(({ components }) => components));
  const isComplete = readings.every(({ status }) => status === 'complete' || status === 'absent');
  return {
    readings: withUnited(readings, united),
    components: [...united.values()],
    status: isComplete ? 'complete' : 'partial',
    durationMs: Math.round(performance.now() - startMs),
  };
}

function rootsOf(detector: Detector, looking: Looking): readonly Planned[] {
  const { world } = looking;
  try {
    const roots = detector.roots(world).map((root) => ({ root, detector, failures: [] }));
    return [...roots, ...unseenRoots(detector, looking)];
  } catch {
    return [null, ...world.homes].map((home) =>
      failedPlan(detector, home, [failureOf(detector, home?.path ?? '')]),
    );
  }
}

/** One for each owner of whom a place could not be looked at: there may be roots behind it. */
function unseenRoots(detector: Detector, looking: Looking): readonly Planned[] {
  const { world, readers, losses } = looking;
  const lost = losses.get(detector) ?? new Map<string, Problem>();
  losses.set(detector, lost);
  const unread = detector.channel === 'executable' ? (world.unread ?? []) : [];
  for (const problem of [...unread, ...readers.splice(0).flatMap(({ problems }) => problems)]) {
    if (problem.isLoss) lost.set(problem.path, problem);
  }
  const byHome = Map.groupBy(lost.values(), ({ path }) => homeOf(world, path));
  return [...byHome].map(([home, failures]) => failedPlan(detector, home, failures));
}

/** Stands for all roots with one owner that a detector could not say. */
function failedPlan(detector: Detector, home: Home | null, failures: readonly Problem[]): Planned {
  const path = home?.path ?? '';
  const { channel } = detector;
  return {
    root: {
      id: `${channel}:roots:${path}`,
      channel,
      manager: null,
      path,
      home,
      boundary: { within: [] },
      watch: [],
    },
    detector,
    failures,
  };
}

function failureOf({ channel }: Detector, path: string): Problem {
  return { path: `${path} (${channel} detector)`, code: 'io', isLoss: true };
}

/** What all roots of one scan are read with. */
interface Context {
  readonly world: World;
  readonly reader: World['reader'];
  /** Homes that cannot be read, and why; null for those that can. */
  readonly homes: Map<Home, HomeTrouble | null>;
  readonly rootTimeMs: number;
}

function readRoot({ root, detector, failures }: Planned, context: Context): Reading {
  const { world, rootTimeMs } = context;
  const missing = root.home === null ? null : homeStatus(root.home, context);
  if (missing !== null) return { root, ...missing, components: [] };
  if (failures.length > 0)
    return { root, status: 'unreadable', problems: failures, components: [] };
  const reader = context.reader(root.boundary, performance.now() + rootTimeMs);
  try {
    const components = detector.read(root, world, reader);
    return {
      root,
      status: statusOf(root, world, components.length, reader),
      problems: reader.problems,
      components,
    };
  } catch {
    const problems = [...reader.problems, failureOf(detector, root.path)];
    return { root, status: 'unreadable', problems, components: [] };
  }
}

/** null: the home can be looked at; asked once in a scan. */
function homeStatus(home: Home, { world, reader, homes }: Context): HomeTrouble | null {
  const known = homes.get(home);
  if (known !== undefined) return known;
  const trouble = homeTrouble(home, world, reader);
  homes.set(home, trouble);
  return trouble;
}

const untouched: ReadonlySet<ProblemCode> = new Set(['network-mount', 'guarded']);

function statusOf(root: Root, world: World, count: number, reader: Reader): RootStatus {
  // What a process came from is told by its path also where nothing may be read.
  const losses = reader.problems.filter(
    ({ isLoss, code }) => isLoss && !(root.channel === 'process' && untouched.has(code)),
  );
  if (losses.some(({ code }) => code === 'timeout')) return 'timeout';
  const isUntouched = reader.problems.some(({ path, code }) => {
    return path === root.path && code === 'guarded';
  });
  if (isUntouched || losses.some(({ path }) => path === root.path)) return 'unreadable';
  if (losses.length > 0) return 'partial';
  const isPlace = root.channel !== 'process' && world.path.isAbsolute(root.path);
  const isAbsent = isPlace && count === 0 && reader.target(root.path) === null;
  return isAbsent ? 'absent' : 'complete';
}

/** What says most about an install comes first. */
const rank = <T>(list: readonly T[], value: T): number => list.indexOf(value);

/** Components by id; of two records of one install the surer one stands, with the evidence of both. */
function unite(components: readonly Component[]): ReadonlyMap<string, Component> {
  const united = new Map<string, Component>();
  for (const component of components) {
    const known = united.get(component.id);
    united.set(component.id, known === undefined ? component : uniteTwo(known, component));
  }
  return united;
}

/** One record of two with the same id; the order of the two does not matter for what is known. */
export function uniteTwo(a: Component, b: Component): Component {
  const [best, other] =
    rank(confidences, b.confidence) < rank(confidences, a.confidence) ? [b, a] : [a, b];
  const states = [best.state, other.state].sort(
    (one, two) => rank(componentStates, one) - rank(componentStates, two),
  );
  const hasVersion = best.version !== null;
  const publisher = best.publisher ?? other.publisher;
  const { candidate: guess = other.candidate, ...rest } = best;
  const tool = best.tool ?? other.tool;
  return {
    ...rest,
    tool,
    manager: best.manager ?? other.manager,
    version: hasVersion ? best.version : other.version,
    purl: hasVersion ? best.purl : (other.purl ?? best.purl),
    scope: a.scope === 'global' || b.scope === 'global' ? 'global' : 'project',
    state: states[0] ?? best.state,
    evidence: [...new Set([...a.evidence, ...b.evidence])].sort(),
    ...(guess === undefined || tool !== null ? {} : { candidate: guess }),
    ...(publisher === undefined ? {} : { publisher }),
  };
}
