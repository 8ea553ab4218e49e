/**
 * The signed documents a device holds: bundle, assignment and catalogue, each verified before it is
 * kept and again when it is read from the database. Sequences and the policy key's pin are in
 * `pins.json`, so a lost database lowers nothing. It fetches nothing; what is refused changes nothing
 * and is told once.
 */
import { indexCatalogue, type Catalogue } from '../../policies/catalogue.js';
import { parseReceivedCatalogue } from '../../policies/catalogue-received.js';
import {
  verifyAssignment,
  verifyBundle,
  type AssignmentPayload,
  type BundlePayload,
} from '../../wire/bundle.js';
import { sha256Hex } from '../../wire/digest.js';
import { CurfewError, type ErrorCode } from '../../wire/errors.js';
import { maxFrameBytes } from '../../wire/messages.js';
import { parseJson } from '../../wire/parse.js';
import { readPins, writePins, type Identity, type Pins } from '../identity-files.js';
import type { DocumentKind, Store } from '../store.js';

export interface RefusedDocument {
  readonly kind: 'refused';
  readonly what: DocumentKind;
  readonly code: ErrorCode;
  readonly message: string;
}
export type TakenDocument = { readonly kind: 'taken' } | RefusedDocument;

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
  /** Verifies and keeps. A bundle that needs another catalogue is announced when that has come. */
  take(what: DocumentKind, content: string): Promise<TakenDocument>;
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
  /** Called once for each text that was refused. */
  readonly onRefused: (refusal: RefusedDocument) => void;
}

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
  readonly #told = new Set<string>();
  #pins: Pins;
  #bundle: BundlePayload | null = null;
  #assignment: AssignmentPayload | null = null;
  #catalogue: Catalogue | null = null;

  constructor(options: DocumentsOptions, pins: Pins) {
    this.#options = options;
    this.#pins = pins;
  }

  async load(): Promise<void> {
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

  async take(what: DocumentKind, content: string): Promise<TakenDocument> {
    const taken = await this.#verify(what, content);
    if (taken.kind === 'taken' && !this.needsCatalogue()) this.#changed();
    return taken;
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
    if (!this.#told.has(sha256)) {
      this.#told.add(sha256);
      this.#options.onRefused(refused);
    }
    return refused;
  }

  async #verify(what: DocumentKind, content: string): Promise<TakenDocument> {
    switch (what) {
      case 'bundle':
        return this.#verifyBundle(content);
      case 'assignment':
        return this.#verifyAssignment(content);
      case 'catalogue':
        return this.#verifyCatalogue(content);
    }
  }

  async #verifyBundle(jws: string): Promise<TakenDocument> {
    const { policyKey, bundle: floor, serverId } = this.#pins;
    const verified = await verifyBundle(jws, { pinnedKey: policyKey, floor, server: serverId });
    if (verified.kind === 'refused') {
      const { code, message } = verified;
      return this.#refuse('bundle', jws, { code, message });
    }
    // The text first: after a crash in between it is verified once more and the pins follow.
    this.#save('bundle', jws, verified.payload.sequence);
    if (verified.kind === 'bundle') {
      const { floor: raised, keyRotatedTo } = verified;
      this.#keep({ ...this.#pins, policyKey: keyRotatedTo ?? policyKey, bundle: raised });
    }
    this.#bundle = verified.payload;
    if (this.#catalogue?.sha256 !== this.#bundle.catalogue.sha256) this.#catalogue = null;
    await this.#reviewAssignment();
    return { kind: 'taken' };
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
    const { assignment: floor, deviceId, serverId } = this.#pins;
    const keys = this.#bundle?.assignmentKeys ?? [];
    return { keys, floor, device: deviceId, server: serverId };
  }

  async #verifyAssignment(jws: string): Promise<TakenDocument> {
    const verified = await verifyAssignment(jws, this.#assignmentTrust());
    if (verified.kind === 'refused') {
      const { code, message } = verified;
      return this.#refuse('assignment', jws, { code, message });
    }
    this.#save('assignment', jws, verified.payload.sequence);
    if (verified.kind === 'assignment') this.#keep({ ...this.#pins, assignment: verified.floor });
    this.#assignment = verified.payload;
    return { kind: 'taken' };
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
    return { kind: 'taken' };
  }

  #save(what: DocumentKind, content: string, sequence: number): void {
    if (this.#options.store.document(what)?.content === content) return;
    this.#options.store.saveDocument(what, { sequence, content }, this.#options.now());
  }

  #keep(pins: Pins): void {
    writePins(this.#options.dataFolder, pins);
    this.#pins = pins;
  }
}

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}
