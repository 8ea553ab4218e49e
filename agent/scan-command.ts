/**
 * `curfew scan`: one look at this machine, at homes, or at a folder that stands for a machine, judged
 * by a policy file when one is given. It needs no server and no root, changes nothing that it looks at
 * and runs nothing that it finds. What only some scans need is loaded only then: the start counts.
 */
import type { Policy } from '../policies/document.js';
import type { EvaluationInput } from '../policies/evaluate.js';
import { builtInCatalogue, type Catalogue } from '../policies/catalogue.js';
import type { Component, Platform } from '../policies/component.js';
import { CurfewError } from '../wire/errors.js';
import type { World } from './detect/index.js';
import { folderWorld, homesWorld, machineWorld, type WorldOptions } from './detect/world.js';
import { relate, rootStates } from './related.js';
import { advisoryLines, withAdvisories } from './scan-advisories.js';
import { prepareScan, scanWorld, type ScanResult } from './scan.js';
import { parseScanFlags, scanHelp, type ScanFlags } from './scan-flags.js';
import {
  componentRecord,
  exitCodeOf,
  jsonLine,
  peopleTable,
  printable,
  problemLines,
  summaryRecord,
  type Judged,
} from './scan-output.js';

/** Where a command writes: results to `stdout`, all else to `stderr`. */
export interface CommandIo {
  stdout(text: string): void;
  stderr(text: string): void;
}

/** Runs the command and answers its exit code: 2 usage, 1 violation, 3 cannot tell, 0 fine. */
export async function runScan(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    const flags = await parseScanFlags(argv);
    if (flags === 'help') {
      io.stdout(scanHelp);
      return 0;
    }
    if (flags === 'schema') {
      const { scanRecordSchema } = await import('./scan-schema.js');
      io.stdout(`${JSON.stringify(scanRecordSchema, null, 2)}\n`);
      return 0;
    }
    return await scan(flags, io);
  } catch (error) {
    if (!(error instanceof CurfewError)) throw error;
    io.stderr(`curfew scan: ${printable(error.message)}\n`);
    if (error.hint !== null) io.stderr(`  ${error.hint}\n`);
    return 2;
  }
}

/** What one scan saw, before any policy has judged it. */
export interface Scanned {
  readonly policy: Policy | null;
  readonly world: World;
  readonly result: ScanResult;
  /** With what earlier scans knew, and each with what evaluation needs of the others. */
  readonly components: readonly Component[];
  readonly firstSeen: Readonly<Record<string, number>>;
  readonly lastSeen: Readonly<Record<string, number>>;
}

/** Looks where the flags say. Errors: USAGE, FOLDER_NOT_WRITABLE. */
export async function lookAround(
  flags: ScanFlags,
  catalogue: Catalogue,
  io: CommandIo,
): Promise<Scanned> {
  const policy = flags.policy === null ? null : await readPolicy(flags.policy, catalogue, io);
  const past = await pastOf(flags, io);
  const world = past.knownIn(await worldOf(flags, policy, catalogue));
  const systems = policy?.targets.os ?? [world.platform];
  if (!systems.includes(world.platform)) {
    const names = systems.join(', ');
    io.stderr(
      `warning: the policy is for ${names}; it is judged on ${world.platform} all the same\n`,
    );
  }
  await prepareScan(world);
  const result = scanWorld(world);
  const { components: known, firstSeen, lastSeen } = past.remember(result);
  const components = relate(known, { catalogue, roots: rootStates(result.readings) });
  return { policy, world, result, components, firstSeen, lastSeen };
}

async function scan(flags: ScanFlags, io: CommandIo): Promise<number> {
  const catalogue = builtInCatalogue();
  const scanned = await lookAround(flags, catalogue, io);
  const { world, result, firstSeen, lastSeen } = scanned;
  const judged = await withAdvisories(await judge(flags, scanned), catalogue);
  const dated = judged.map((each): Judged => {
    const { id } = each.component;
    const [firstSeenMs, lastSeenMs] = [firstSeen[id], lastSeen[id]];
    if (firstSeenMs === undefined || lastSeenMs === undefined) return each;
    return { ...each, firstSeenMs, lastSeenMs };
  });
  const summary = summaryRecord(dated, result.readings, result.durationMs);
  if (flags.isJson) {
    io.stdout([...dated.map(componentRecord), summary].map(jsonLine).join(''));
  } else {
    const homes = world.homes.map(({ path }) => path);
    const context = { catalogue, homes, pathSeparator: world.path.sep };
    io.stdout((await peopleTable(dated, context)) + advisoryLines(dated, catalogue));
    io.stderr(problemLines(summary));
  }
  return exitCodeOf(dated, summary);
}

async function readPolicy(
  { file, text }: { readonly file: string; readonly text: string },
  catalogue: Catalogue,
  io: CommandIo,
): Promise<Policy> {
  const { parsePolicy } = await import('../policies/document.js');
  const parsed = parsePolicy(text, { catalogue });
  const problems = parsed.kind === 'policy' ? parsed.warnings : parsed.problems;
  for (const { severity, line, column, field, message } of problems) {
    const place = `${file}:${line}:${column}`;
    const about = field === '' ? '' : `${field}: `;
    io.stderr(`${printable(`${place}: ${severity}: ${about}${message}`)}\n`);
  }
  if (parsed.kind === 'policy') return parsed.policy;
  throw new CurfewError('USAGE', `the policy ${file} is not valid; nothing was scanned`);
}

async function worldOf(
  flags: ScanFlags,
  policy: Policy | null,
  catalogue: Catalogue,
): Promise<World> {
  const options = { catalogue, isDeep: flags.isDeep, processes: flags.processes };
  if (policy === null) return placeOf(flags, options);
  const { ruleNames, wholeChannels } = await import('../policies/evaluate.js');
  const world = await placeOf(flags, { ...options, named: ruleNames(policy) });
  return { ...world, wholeChannels: wholeChannels(policy) };
}

async function placeOf(flags: ScanFlags, options: WorldOptions): Promise<World> {
  const platform = flags.platform ?? ownPlatform();
  if (flags.world !== null) {
    const accounts = flags.accounts === null ? {} : { accounts: flags.accounts };
    try {
      return folderWorld(flags.world, platform, { ...options, ...accounts });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CurfewError('USAGE', `--world ${flags.world} cannot be looked at: ${reason}`);
    }
  }
  if (flags.homes.length > 0) return homesWorld(flags.homes, { ...options, platform });
  const { listProcesses } = await import('./running.js');
  const processes = options.processes ?? (await listProcesses());
  return machineWorld({ ...options, processes, takesOwnEnvironment: true });
}

function ownPlatform(): Platform {
  return process.platform === 'win32' || process.platform === 'darwin' ? process.platform : 'linux';
}

/** What earlier scans knew, for a scan to go by and to be added to. */
interface Past {
  knownIn(world: World): World;
  /** What is known now, with what earlier scans knew of places that could not be read. */
  remember(result: ScanResult): {
    readonly components: readonly Component[];
    readonly firstSeen: Readonly<Record<string, number>>;
    readonly lastSeen: Readonly<Record<string, number>>;
  };
}

const noPast: Past = {
  knownIn: (world) => world,
  remember: ({ components }) => ({ components, firstSeen: {}, lastSeen: {} }),
};

async function pastOf(flags: ScanFlags, io: CommandIo): Promise<Past> {
  const { state, world: folder, homes, isDeep, atMs } = flags;
  if (state === null) return noPast;
  const { readHistory, remember, withKnownHomes, writeHistory } = await import('./scan-history.js');
  const history = inState(state, () =>
    readHistory(state, (sentence) => io.stderr(`curfew scan: ${sentence}\n`)),
  );
  const coverage = JSON.stringify([folder, homes, isDeep]);
  return {
    knownIn: (world) => withKnownHomes(world, history),
    remember: (result) => {
      const known = remember(history, result, { coverage, atMs });
      inState(state, () => writeHistory(state, known.history));
      const { firstSeen, lastSeen = {} } = known.history;
      return { components: known.components, firstSeen, lastSeen };
    },
  };
}

function inState<T>(state: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CurfewError('FOLDER_NOT_WRITABLE', `--state ${state} cannot be used: ${reason}`, {
      hint: 'Name a folder that you may write in.',
    });
  }
}

async function judge(flags: ScanFlags, scanned: Scanned): Promise<readonly Judged[]> {
  const { policy, components } = scanned;
  if (policy === null) return components.map((component) => ({ component, verdict: null }));
  const { evaluate } = await import('../policies/evaluate.js');
  const inputs = await evaluationInputs(flags, { ...scanned, policy });
  return inputs.map((input, at) => {
    const component = components[at] ?? input.component;
    return { component, verdict: evaluate(input).verdict };
  });
}

/** What the evaluation of each component takes, in their order. */
export async function evaluationInputs(
  flags: ScanFlags,
  { policy, world, components }: Scanned & { readonly policy: Policy },
): Promise<readonly EvaluationInput[]> {
  const { currentZone } = await import('../policies/dates.js');
  const { catalogue } = world;
  const zone = currentZone();
  const isLive = liveTools(components, world);
  return components.map((component) => {
    const device = {
      id: 'this-device',
      hardwareId: null,
      person: component.owner,
      group: null,
      platform: world.platform,
      zone,
      maxAction: flags.maxAction,
      home: world.homes.find(({ account }) => account === component.owner)?.path ?? null,
    };
    const running = isLive(component);
    const judged = running === null ? component : { ...component, running };
    return { policy, catalogue, exceptions: [], component: judged, device, now: flags.atMs };
  });
}

/** Whether a process of the same tool and owner is alive; null when processes were not looked at. */
function liveTools(
  components: readonly Component[],
  world: World,
): (component: Component) => boolean | null {
  const owned = ({ tool, name, owner }: Component): string => JSON.stringify([tool ?? name, owner]);
  const live = new Set(components.filter(({ state }) => state === 'running').map(owned));
  return (component) => (world.processes === null ? null : live.has(owned(component)));
}
