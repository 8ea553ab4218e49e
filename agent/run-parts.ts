/**
 * Builds the daemon from its parts: settings, store, clock, scanner, prompts, loop, link. It decides
 * nothing but what goes where; enrolment is tried again for as long as it takes, in the background.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pino, type Logger } from 'pino';
import type { Catalogue } from '../policies/catalogue.js';
import { currentZone } from '../policies/dates.js';
import { CurfewError } from '../wire/errors.js';
import { lockFolder, type FolderLock } from '../wire/lock.js';
import type { DeviceFacts, Subject } from '../wire/messages.js';
import { machineClock, openClock, type Clock } from './clock.js';
import { resolveNow } from './detect/disk.js';
import type { SavedCache } from './detect/contents-cache.js';
import { createNotifier, groupOfUid, runCommand, type Recipient } from './employee/notify.js';
import { createPrompter, type Finding, type Prompter } from './employee/prompt.js';
import { assignedTo, factsAside } from './facts-aside.js';
import { readIdentity, type Identity } from './identity-files.js';
import { startLoop, type Loop, type LoopParts } from './loop.js';
import { currentAccount, isPrivileged, localPeople, thisPlatform } from './platform/index.js';
import { openLink, type Link, type LinkStatus } from './report/connection.js';
import { openDocuments, type Documents } from './report/documents.js';
import { enrol } from './report/enrol.js';
import { networkSettings } from './report/network.js';
import { openOutbox, type Outbox } from './report/outbox.js';
import type { Device } from './rules.js';
import { printable } from './scan-output.js';
import { createProcessList, type ProcessList } from './running.js';
import { createScanner } from './scanner.js';
import { machineSettings, type Settings } from './settings.js';
import { makeFolder, nativeBinding, openStore, type Store } from './store.js';
import { noteTold } from './terms.js';
import { startWatch } from './watch.js';

export interface Agent {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly loop: Loop;
  readonly log: Logger;
  /** Resolves at the first welcome of the server in the life of this process. */
  readonly welcomed: Promise<void>;
  /** Null while this machine is not enrolled. */
  linkStatus(): LinkStatus | null;
  close(): Promise<void>;
}

/** What the parts share while the agent runs. */
interface Running {
  readonly settings: Settings;
  readonly folder: string;
  readonly lock: FolderLock;
  readonly log: Logger;
  readonly store: Store;
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly zone: string;
  readonly builtIn: Catalogue;
  readonly welcome: PromiseWithResolvers<void>;
  facts: DeviceFacts;
  identity: Identity | null;
  documents: Documents | null;
  link: Link | null;
  loop: Loop | null;
  isClosed: boolean;
}

const machine: Subject = { kind: 'machine' };

/** Starts everything. Errors: FOLDER_NOT_WRITABLE, FOLDER_IN_USE, STORE_NEWER, STORE_DAMAGED. */
export async function openAgent(builtIn: Catalogue): Promise<Agent> {
  const settings = machineSettings(thisPlatform(), process.env);
  const log = pino(
    {
      level: settings.values.LogLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // Names come from disks that anyone may have written; JSON leaves direction characters as they are.
      hooks: { streamWrite: (line) => `${printable(line.trimEnd())}\n` },
    },
    pino.destination({ dest: 2, sync: true }),
  );
  for (const problem of settings.problems) {
    log.warn({ area: 'settings', event: 'ignored', ...problem });
  }
  const folder = settings.values.DataFolder;
  makeFolder(folder);
  const lock = lockFolder(folder, nativeBinding());
  const store = openStore(folder);
  const running = await openRunning({ settings, folder, lock, log, store, builtIn });
  const loop = startLoop(loopParts(running));
  running.loop = loop;
  for (const why of running.suspicions.splice(0)) raiseSuspicion(running, why);
  const { documents } = running;
  if (documents !== null) connect(running, documents);
  else void joinLater(running);
  const { outbox, welcome } = running;
  return {
    store,
    outbox,
    loop,
    log,
    welcomed: welcome.promise,
    linkStatus: () => running.link?.status() ?? null,
    close: () => closeAgent(running, loop),
  };
}

interface Opened extends Running {
  /** Said before there was a loop to raise them. */
  readonly suspicions: string[];
}

async function openRunning(
  parts: Pick<Running, 'settings' | 'folder' | 'lock' | 'log' | 'store' | 'builtIn'>,
): Promise<Opened> {
  const { folder, store, log } = parts;
  const suspicions: string[] = [];
  let running: Opened | null = null;
  const clock = openClock({
    file: path.join(folder, 'clock.json'),
    read: machineClock(),
    onSuspicion(why) {
      log.warn({ area: 'clock', event: 'suspect', why });
      if (running?.loop == null) suspicions.push(why);
      else raiseSuspicion(running, why);
    },
  });
  clock.save();
  const zone = currentZone();
  const identity = readIdentity(folder);
  running = {
    ...parts,
    clock,
    zone,
    identity,
    suspicions,
    outbox: openOutbox({ store, now: clock.now }),
    welcome: Promise.withResolvers(),
    facts: await factsOf(zone, parts.settings),
    documents: null,
    link: null,
    loop: null,
    isClosed: false,
  };
  if (identity !== null) running.documents = await documentsOf(running, identity);
  return running;
}

function raiseSuspicion({ loop }: Running, detail: string): void {
  loop?.raise({ subject: machine, event: 'clock-suspect', detail });
}

async function documentsOf(running: Running, identity: Identity): Promise<Documents> {
  const { settings, folder, store, builtIn, clock, log } = running;
  return openDocuments({
    dataFolder: folder,
    identity,
    store,
    builtIn,
    now: clock.now,
    namedKey: settings.values.PolicyKey,
    onResetFloor(floorMs) {
      log.warn({ area: 'clock', event: 'floor-reset', floor: new Date(floorMs).toISOString() });
      clock.reset(floorMs);
      running.loop?.judgeAgain();
    },
    onRefused({ what, code, message }) {
      log.error({ area: 'link', event: 'document-refused', what, code, message });
      running.loop?.raise({ subject: machine, event: 'bundle-refused', detail: `${what} ${code}` });
    },
  });
}

function loopParts(running: Running): LoopParts {
  const { settings, store, outbox, clock, log, zone, builtIn } = running;
  const { HomeOnly, OwnHome, CheckInMinutes, ScanNetworkHomes } = settings.values;
  return {
    store,
    outbox,
    clock,
    log,
    scanner: createScanner({
      place:
        HomeOnly === null
          ? {
              kind: 'machine',
              takesOwnEnvironment: OwnHome || !isPrivileged(),
              isOwnHomeOnly: OwnHome,
              hasNetworkHomes: ScanNetworkHomes,
            }
          : { kind: 'homes', folders: [HomeOnly], hasNetworkHomes: ScanNetworkHomes },
      onHung: (root) => log.warn({ area: 'scan', event: 'root-hung', root }),
      told: {
        load: () => JSON.parse(store.fact('told-programs') ?? 'null') as SavedCache | null,
        save: (told) => store.saveFact('told-programs', JSON.stringify(told)),
      },
    }),
    prompter: (loop) => makePrompter(running, loop),
    watch: startWatch,
    documents: () =>
      running.documents?.current() ?? { bundle: null, assignment: null, catalogue: builtIn },
    device: () => deviceOf(running),
    facts: async () => (running.facts = await factsOf(zone, settings)),
    processes: processesFor(settings),
    spellings: spellingsOf,
    checkInMinutes: CheckInMinutes,
    random: Math.random,
  };
}

async function factsOf(zone: string, { values }: Settings): Promise<DeviceFacts> {
  return assignedTo(await factsAside(zone), values.AssignedUser);
}

/** The processes that the settings let us look at: of one home none, of ourselves our own. */
function processesFor({ values }: Settings): ProcessList {
  if (values.HomeOnly !== null) return () => Promise.resolve(null);
  const list = createProcessList();
  if (!values.OwnHome) return list;
  const { uid, name } = currentAccount();
  return async () =>
    (await list())?.filter((one) => (one.uid === null ? one.account === name : one.uid === uid)) ??
    null;
}

function deviceOf({ identity, facts, zone, settings: { values } }: Running): Device {
  return {
    id: identity?.deviceId ?? 'not-enrolled',
    hardwareId: facts.hardwareId,
    platform: thisPlatform(),
    zone,
    maxAction: values.MaxAction,
    assignedUser: values.AssignedUser,
    group: values.DeviceGroup === '' ? null : values.DeviceGroup,
  };
}

function spellingsOf(home: string): readonly string[] {
  const real = resolveNow(home);
  return real.kind === 'real' && real.path !== home ? [home, real.path] : [home];
}

function makePrompter(
  { settings, store, clock, log }: Running,
  loop: Pick<Loop, 'raise' | 'judgeAgain'>,
): Prompter {
  const { PromptOrgName, PromptContactUrl } = settings.values;
  const said = new Set<string>();
  const words = ({ tool, name, account, rule }: Finding): object => {
    return { area: 'prompt', tool: tool ?? name, account, rule };
  };
  return createPrompter({
    notifier: createNotifier({
      platform: process.platform,
      env: process.env,
      run: runCommand,
      isPrivileged: isPrivileged(),
      groupOf: groupOfUid,
      exists: existsSync,
    }),
    recipients: () => recipientsOf(settings.values.HomeOnly),
    wasShown: ({ key, rule, verdict }) => store.promptedAs(key, rule) === verdict.status,
    onShown(finding) {
      const { key, account, tool, verdict } = finding;
      const atMs = clock.now();
      store.rememberPrompt(key, finding.rule, { status: verdict.status, atMs });
      // Grace counts from now on.
      if (noteTold(store, verdict, atMs)) loop.judgeAgain();
      log.info({ ...words(finding), event: 'shown' });
      const subject: Subject = { kind: 'person', account };
      loop.raise({ subject, event: 'prompt-shown', tool, rule: verdict.rule, detail: 'shown' });
    },
    onNotShown(finding, why) {
      const id = `${finding.key}\n${finding.rule}\n${why}`;
      if (!said.has(id)) log.info({ ...words(finding), event: 'not-shown', why });
      said.add(id);
    },
    onLine(finding, line) {
      log.info({ ...words(finding), event: 'line', line });
    },
    organisation: PromptOrgName,
    contact: PromptContactUrl,
    env: process.env,
  });
}

/** The people of this machine; in a home that is nobody's here, nobody. */
function recipientsOf(homeOnly: string | null): readonly Recipient[] {
  const current = currentAccount();
  const people = homeOnly === null ? localPeople() : [current];
  return people
    .filter(({ home }) => homeOnly === null || path.resolve(home) === path.resolve(homeOnly))
    .map(({ name, uid, home }) => ({
      account: name,
      uid,
      home,
      isCurrent: name === current.name,
    }));
}

function connect(running: Running, documents: Documents): void {
  const { settings, identity, outbox, clock, log, loop, welcome } = running;
  if (identity === null || running.isClosed) return;
  documents.onChange(() => loop?.documentsChanged());
  const link = openLink({
    identity,
    // A server that moved is named by the settings; the identity knows where it once was.
    serverUrl: settings.values.ServerUrl ?? identity.serverUrl,
    documents,
    outbox,
    network: networkSettings(settings.values, process.env),
    facts: () => running.facts,
    onTime(serverMs) {
      const wasConfirmed = clock.isConfirmed;
      clock.confirm(serverMs);
      if (!wasConfirmed && clock.isConfirmed) loop?.judgeAgain();
    },
  });
  let last = '';
  link.onStatus(({ state, problem }) => {
    if (state === 'online') welcome.resolve();
    const word = `${state} ${problem?.code ?? ''}`;
    if (word !== last) log.info({ area: 'link', event: state, problem });
    last = word;
  });
  running.link = link;
}

const firstRetryMs = 5_000;
const longestRetryMs = 10 * 60_000;

/** Enrols as soon as there are a server, a token and an answer; waits quietly till then. */
async function joinLater(running: Running): Promise<void> {
  let waitMs = firstRetryMs;
  while (!running.isClosed) {
    const identity = readIdentity(running.folder) ?? (await tryToEnrol(running));
    if (identity !== null) {
      running.identity = identity;
      running.documents = await documentsOf(running, identity);
      connect(running, running.documents);
      running.loop?.documentsChanged();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random())).unref());
    waitMs = Math.min(waitMs * 2, longestRetryMs);
  }
}

async function tryToEnrol(running: Running): Promise<Identity | null> {
  const { settings, folder, facts, clock, log } = running;
  const { ServerUrl, EnrollToken, PolicyKey, DeviceGroup, DeviceLabel } = settings.values;
  if (ServerUrl === null || EnrollToken === null) {
    log.info({ area: 'link', event: 'not-enrolled', hasServer: ServerUrl !== null });
    return null;
  }
  try {
    const { identity, serverTimeMs } = await enrol({
      serverUrl: ServerUrl,
      token: EnrollToken,
      policyKeyThumbprint: PolicyKey,
      facts,
      group: DeviceGroup,
      label: DeviceLabel,
      dataFolder: folder,
      network: networkSettings(running.settings.values, process.env),
    });
    clock.confirm(serverTimeMs);
    log.info({ area: 'link', event: 'enrolled', policyKey: identity.policyKey });
    return identity;
  } catch (error) {
    if (!(error instanceof CurfewError)) throw error;
    log.warn({ area: 'link', event: 'enrol-failed', code: error.code, message: error.message });
    return null;
  }
}

async function closeAgent(running: Running, loop: Loop): Promise<void> {
  running.isClosed = true;
  await running.link?.close();
  await loop.close();
  running.clock.save();
  running.store.close();
  running.lock.release();
}
