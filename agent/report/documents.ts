/**
 * The signed documents a device holds: bundle, assignment and catalogue, each verified before it is
 * kept and again when it is read from the database. Sequences and the policy key's pin are in
 * `pins.json`, so a lost database lowers nothing. It fetches nothing; what is refused changes nothing
 * and is told once. Of the policy key the last word is the signed rotation or, after a lost key, a
 * thumbprint in the machine's settings that was never retired.
 */
import { indexCatalogue, type Catalogue } from '../../policies/catalogue.js';
import { parseReceivedCatalogue } from '../../policies/catalogue-received.js';
import { verifyAssignment, type AssignmentPayload } from '../../wire/assignment.js';
import {
  thumbprint,
  verifyBundle,
  type BundlePayload,
  type VerifiedBundle,
} from '../../wire/bundle.js';
import { sha256Hex } from '../../wire/digest.js';
import { CurfewError, type ErrorCode } from '../../wire/errors.js';
import { maxFrameBytes } from '../../wire/messages.js';
import { parseJson } from '../../wire/parse.js';
import { readPins, writePins, type Identity, type Pins } from '../identity-files.js';
import type { DocumentKind, Store } from '../store.js';
import { assignmentFloor, withAssignment } from './floors.js';

export interface RefusedDocument {
  readonly kind: 'refused';
  readonly what: DocumentKind;
  readonly code: ErrorCode;
  readonly message: string;
}
/** `isNew`: false for the very text that is held already. */
export type TakenDocument = { readonly kind: 'taken'; readonly isNew: boolean } | RefusedDocument;

/** What the device goes by now. */
export interface CurrentDocuments {
  readonly bundle: BundlePayload | null;
  /** Null also when the bundle no longer names the key that signed it. */
  readonly assignment: AssignmentPayload | null;
  /** The bundle's catalogue, or the built-in one until that has arrived. */
  readonly catalogue: Catalogue;
}

export interface Documents {
  current(): CurrentDocuments;
  /** True while the bundle names a catalogue that is neither held nor built in. */
  needsCatalogue(): boolean;
  /**
   * Verifies and keeps. A bundle that needs another catalogue is announced when that has come; one below
   * `offered`, the sequence that the server has, is a step to a newer key on the way there: it is kept
   * and not gone by.
   */
  take(what: DocumentKind, content: string, offered?: number): Promise<TakenDocument>;
  /** The highest sequence of an assignment taken under the keys of the bundle, held or not; 0: none. */
  assignmentSequence(): number;
  /** Of the newest bundle taken, gone by or not; 0: none. */
  bundleSequence(): number;
  /** Thumbprint of the policy key that the next bundle has to be signed by. */
  policyKey(): string;
  /** True while the settings name another key than the one that signed what is held. */
  awaitsNamedKey(): boolean;
  /** Goes on with the built-in catalogue after the bundle's could not be had. */
  doWithoutCatalogue(): void;
  onChange(listener: () => void): () => void;
}

export interface DocumentsOptions {
  readonly dataFolder: string;
  readonly identity: Identity;
  readonly store: Pick<Store, 'document' | 'saveDocument'>;
  readonly builtIn: Catalogue;
  readonly now: () => number;
  /** For a look beside a running agent: no file is written. */
  readonly isReadOnly?: boolean;
  /** Thumbprint from the setting `PolicyKey`; null: the pin alone says whom to trust. */
  readonly namedKey?: string | null;
  /** Called once for each text that was refused, also over restarts. */
  readonly onRefused: (refusal: RefusedDocument) => void;
  /** A bundle that came resets the floor of trusted time to this, epoch ms. */
  readonly onResetFloor?: (floorMs: number) => void;
}

/** Refused texts that are remembered; an older one may be told of again. */
const mostRefused = 32;

/** Opens what is held. STORE_DAMAGED when the pins are missing or belong to another device. */
export async function openDocuments(options: DocumentsOptions): Promise<Documents> {
  const held = new HeldDocuments(options, pinsOf(options));
  await held.load();
  return held;
}

function pinsOf({ dataFolder, identity }: DocumentsOptions): Pins {
  const pins = readPins(dataFolder);
  if (pins?.serverId === identity.serverId && pins.deviceId === identity.deviceId) return pins;
  throw new CurfewError('STORE_DAMAGED', 'pins.json is missing or belongs to another device', {
    hint: 'Restore it from a backup, or move identity.json away and enrol this device again.',
  });
}

class HeldDocuments implements Documents {
  readonly #options: DocumentsOptions;
  readonly #listeners = new Set<() => void>();
  #pins: Pins;
  #bundle: BundlePayload | null = null;
  /** Sequence of a bundle that was taken on the way to the newest one. */
  #step = 0;
  #policyKey = '';
  /** Set while the settings name another key than the pin, and one that was never retired. */
  #repinTo: string | null = null;
  #assignment: AssignmentPayload | null = null;
  #catalogue: Catalogue | null = null;

  constructor(options: DocumentsOptions, pins: Pins) {
    this.#options = options;
    this.#pins = pins;
  }

  async load(): Promise<void> {
    await this.#reviewKeys();
    for (const what of ['bundle', 'assignment', 'catalogue'] as const) {
      const content = this.#options.store.document(what)?.content;
      if (content !== undefined) await this.#verify(what, content);
    }
  }

  current(): CurrentDocuments {
    const catalogue = this.#catalogue ?? this.#options.builtIn;
    return { bundle: this.#bundle, assignment: this.#assignment, catalogue };
  }

  needsCatalogue(): boolean {
    const named = this.#bundle?.catalogue.sha256;
    if (named === undefined || named === this.#options.builtIn.sha256) return false;
    return named !== this.#catalogue?.sha256;
  }

  async take(what: DocumentKind, content: string, offered = 0): Promise<TakenDocument> {
    const taken = await this.#verify(what, content, offered);
    if (taken.kind === 'refused') return taken;
    const isStep = what === 'bundle' && this.#step > 0;
    if (!isStep && !this.needsCatalogue()) this.#changed();
    return taken;
  }

  assignmentSequence(): number {
    return assignmentFloor(this.#pins, this.#bundle?.assignmentKeys ?? []).sequence;
  }

  bundleSequence(): number {
    return Math.max(this.#step, this.#bundle?.sequence ?? 0);
  }

  policyKey(): string {
    return this.#policyKey;
  }

  awaitsNamedKey(): boolean {
    return this.#repinTo !== null;
  }

  doWithoutCatalogue(): void {
    this.#changed();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #refuse(what: DocumentKind, content: string, refusal: Refusal): RefusedDocument {
    const refused = { kind: 'refused', what, ...refusal } as const;
    const sha256 = sha256Hex(content);
    const told = this.#pins.refused ?? [];
    if (!told.includes(sha256)) {
      this.#keep({ ...this.#pins, refused: [...told, sha256].slice(-mostRefused) });
      this.#options.onRefused(refused);
    }
    return refused;
  }

  async #verify(what: DocumentKind, content: string, offered = 0): Promise<TakenDocument> {
    switch (what) {
      case 'bundle':
        return this.#verifyBundle(content, offered);
      case 'assignment':
        return this.#verifyAssignment(content);
      case 'catalogue':
        return this.#verifyCatalogue(content);
    }
  }

  async #verifyBundle(jws: string, offered: number): Promise<TakenDocument> {
    const { policyKey: pinnedKey, bundle: floor, serverId: server } = this.#pins;
    const repinTo = this.#repinTo;
    const verified = await verifyBundle(jws, { pinnedKey, floor, server, repinTo });
    if (verified.kind === 'refused') {
      const { code, message } = verified;
      return this.#refuse('bundle', jws, { code, message });
    }
    const { payload } = verified;
    const isStep = payload.sequence < offered;
    const isNew = verified.kind === 'bundle' || payload.sequence !== this.bundleSequence();
    // The text first: after a crash in between it is verified once more and the pins follow.
    this.#save('bundle', jws, payload.sequence);
    if (verified.kind === 'bundle') {
      // What a step says of the clock was meant for its day.
      if (payload.resetFloor !== undefined && !isStep) {
        this.#options.onResetFloor?.(Date.parse(payload.resetFloor));
      }
      await this.#follow(verified);
    }
    this.#step = isStep ? payload.sequence : 0;
    if (isStep) return { kind: 'taken', isNew };
    this.#bundle = payload;
    if (this.#catalogue?.sha256 !== this.#bundle.catalogue.sha256) this.#catalogue = null;
    await this.#reviewAssignment();
    return { kind: 'taken', isNew };
  }

  /** Raises the floor and pins the key that signs from now on; the one before it is retired. */
  async #follow({ floor, signedBy, keyRotatedTo }: NewBundle): Promise<void> {
    const { policyKey: before, retired = [] } = this.#pins;
    const policyKey = keyRotatedTo ?? signedBy;
    const left = [before, signedBy].filter((key) => key !== policyKey);
    const thumbprints = await Promise.all(left.map((key) => thumbprint(key)));
    const all = [...new Set([...retired, ...thumbprints])];
    this.#keep({
      ...this.#pins,
      policyKey,
      bundle: floor,
      ...(all.length > 0 && { retired: all }),
    });
    await this.#reviewKeys();
  }

  async #reviewKeys(): Promise<void> {
    const { policyKey, retired = [] } = this.#pins;
    const pinned = await thumbprint(policyKey);
    const named = this.#options.namedKey ?? pinned;
    this.#repinTo = named === pinned || retired.includes(named) ? null : named;
    this.#policyKey = this.#repinTo ?? pinned;
  }

  /** A key that the new bundle does not name takes its assignment with it; one it names brings it back. */
  async #reviewAssignment(): Promise<void> {
    const stored = this.#options.store.document('assignment')?.content;
    this.#assignment = null;
    if (stored === undefined) return;
    const verified = await verifyAssignment(stored, this.#assignmentTrust());
    if (verified.kind === 'same') this.#assignment = verified.payload;
  }

  #assignmentTrust(): Parameters<typeof verifyAssignment>[1] {
    const { deviceId, serverId } = this.#pins;
    const keys = this.#bundle?.assignmentKeys ?? [];
    const floor = assignmentFloor(this.#pins, keys);
    return { keys, floor, device: deviceId, server: serverId };
  }

  async #verifyAssignment(jws: string): Promise<TakenDocument> {
    const trust = this.#assignmentTrust();
    const verified = await verifyAssignment(jws, trust);
    if (verified.kind === 'refused') {
      const { code, message } = verified;
      return this.#refuse('assignment', jws, { code, message });
    }
    this.#save('assignment', jws, verified.payload.sequence);
    if (verified.kind === 'assignment') {
      const { floor, signedBy } = verified;
      this.#keep(withAssignment(this.#pins, { floor, signedBy, keys: trust.keys }));
    }
    const isNew = this.#assignment?.sequence !== verified.payload.sequence;
    this.#assignment = verified.payload;
    return { kind: 'taken', isNew };
  }

  #verifyCatalogue(text: string): TakenDocument {
    const sha256 = sha256Hex(text);
    const named = this.#bundle?.catalogue.sha256;
    if (named !== sha256) {
      const message = `the catalogue has the hash ${sha256}; the bundle names ${named ?? 'none'}`;
      return this.#refuse('catalogue', text, { code: 'CATALOGUE_INVALID', message });
    }
    const tree = parseJson(text, maxFrameBytes);
    const parsed = tree.kind === 'value' ? parseReceivedCatalogue(tree.value) : null;
    if (parsed?.kind !== 'catalogue') {
      const message = 'the catalogue is not of the format this agent knows';
      return this.#refuse('catalogue', text, { code: 'CATALOGUE_INVALID', message });
    }
    this.#save('catalogue', text, this.#bundle?.sequence ?? 0);
    this.#catalogue = indexCatalogue(parsed.document, sha256);
    return { kind: 'taken', isNew: true };
  }

  #save(what: DocumentKind, content: string, sequence: number): void {
    if (this.#options.store.document(what)?.content === content) return;
    this.#options.store.saveDocument(what, { sequence, content }, this.#options.now());
  }

  #keep(pins: Pins): void {
    if (this.#options.isReadOnly !== true) writePins(this.#options.dataFolder, pins);
    this.#pins = pins;
  }
}

type NewBundle = Extract<VerifiedBundle, { kind: 'bundle' }>;

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}
