/**
 * What the daemon knows and goes by, read beside it for `curfew explain`: its components, the signed
 * documents it holds, its terms and its trusted time. Nothing is written, nobody is asked. The settings
 * are those that this process sees: what the daemon alone was given in its environment is not among them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { builtInCatalogue } from '../policies/catalogue.js';
import { currentZone } from '../policies/dates.js';
import type { EvaluationInput } from '../policies/evaluate.js';
import { CurfewError } from '../wire/errors.js';
import { machineClock, openClock } from './clock.js';
import { readIdentity } from './identity-files.js';
import { attach } from './inventory.js';
import { localPeople, thisPlatform } from './platform/index.js';
import { openDocuments, type CurrentDocuments } from './report/documents.js';
import { evaluationInput, inForce, type Device } from './rules.js';
import type { Settings } from './settings.js';
import { databaseName, openStore, type Store } from './store.js';
import { termsOf } from './terms.js';

/** All that can be explained. */
export interface Known {
  readonly inputs: readonly EvaluationInput[];
  /** Where to ask when the policy does not say. */
  readonly contact: string | null;
  /** False while not all places were read: something may be there that is not known. */
  readonly isComplete: boolean;
  /** null: not enrolled, or no bundle has come. */
  readonly bundleSequence: number | null;
  /** False while no server has confirmed the time; null: the time was given. */
  readonly isTimeConfirmed: boolean | null;
  /** Acting is paused, until an instant (epoch ms) or without an end (null). */
  readonly pause: { readonly until: number | null } | null;
}

/**
 * The daemon's knowledge in a data folder. `atMs` null: its trusted time now. Errors: NOT_FOUND when
 * there is none, or none that this user may read.
 */
export async function readKnown(
  folder: string,
  settings: Settings,
  atMs: number | null,
): Promise<Known> {
  refuseClosed(folder);
  const store = openStore(folder, { isReadOnly: true });
  try {
    const clock = openClock({
      file: path.join(folder, 'clock.json'),
      read: machineClock(),
      onSuspicion: () => undefined,
    });
    const now = atMs ?? clock.now();
    const documents = await documentsIn(folder, store, { settings, now });
    const device = deviceIn(folder, store, settings);
    const rules = inForce(documents, device);
    // What is new of the terms is the daemon's to keep.
    const readOnly = { ...store, putTerms: () => undefined, forgetPromptsOf: () => undefined };
    const terms = termsOf(readOnly, rules, { zone: device.zone, now, away: null });
    const homes = homesOf(store, settings.values.HomeOnly);
    const settledUntil = atMs === null ? clock.settledUntil() : Infinity;
    const around = { device, homes, now, terms, settledUntil };
    return {
      inputs: attach(store, rules.catalogue).map(({ component }) =>
        evaluationInput(component, rules, around),
      ),
      contact: settings.values.PromptContactUrl,
      isComplete: store.roots().every(({ status }) => status === 'complete' || status === 'absent'),
      bundleSequence: rules.bundleSequence,
      isTimeConfirmed: atMs === null ? clock.isConfirmed : null,
      pause: rules.pauseAt(now),
    };
  } finally {
    store.close();
  }
}

/** A folder that is closed to this user looks like one that is not there. */
function refuseClosed(folder: string): void {
  try {
    fs.closeSync(fs.openSync(path.join(folder, databaseName), 'r'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') return;
    throw new CurfewError('NOT_FOUND', `you may not read what the agent keeps in ${folder}`, {
      hint: 'Ask an administrator of this machine, or judge your own home by a policy file: curfew explain --policy FILE',
      cause: error,
    });
  }
}

/** The signed documents that the daemon in this folder goes by. */
export async function documentsIn(
  folder: string,
  store: Store,
  { settings, now }: { readonly settings: Settings; readonly now: number },
): Promise<CurrentDocuments> {
  const builtIn = builtInCatalogue();
  const identity = readIdentity(folder);
  if (identity === null) return { bundle: null, assignment: null, catalogue: builtIn };
  const documents = await openDocuments({
    dataFolder: folder,
    identity,
    builtIn,
    isReadOnly: true,
    store: { document: store.document, saveDocument: () => undefined },
    now: () => now,
    namedKey: settings.values.PolicyKey,
    onRefused: () => undefined,
  });
  return documents.current();
}

function deviceIn(folder: string, store: Store, { values }: Settings): Device {
  return {
    id: readIdentity(folder)?.deviceId ?? 'not-enrolled',
    hardwareId: hardwareIdIn(store),
    platform: thisPlatform(),
    zone: currentZone(),
    maxAction: values.MaxAction,
    assignedUser: values.AssignedUser,
    group: values.DeviceGroup === '' ? null : values.DeviceGroup,
  };
}

/** As the daemon last told it; asking the hardware takes programs of the system. */
function hardwareIdIn(store: Store): string | null {
  const facts = JSON.parse(store.fact('facts') ?? '{}') as { hardwareId?: unknown };
  return typeof facts.hardwareId === 'string' ? facts.hardwareId : null;
}

/** Account to home; a home that was named alone is everybody's. */
function homesOf(store: Store, homeOnly: string | null): ReadonlyMap<string, string> {
  if (homeOnly === null) return new Map(localPeople().map(({ name, home }) => [name, home]));
  const owners = store.components().flatMap(({ component: { owner } }) => owner ?? []);
  return new Map(owners.map((owner) => [owner, homeOnly]));
}
