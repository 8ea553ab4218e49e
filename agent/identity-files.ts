/**
 * The two small files that make this machine a device: `identity.json` (who it is and its private key)
 * and `pins.json` (which policy key it trusts, and the highest sequences it has taken). They outlive the
 * database. A file that is there and cannot be understood is an error, never a fresh start: a lost
 * floor would let an old policy back in.
 */
import path from 'node:path';
import Type, { type Static } from 'typebox';
import { CurfewError } from '../wire/errors.js';
import { PublicKeyX, SigningKey } from '../wire/keys.js';
import { checker, parseJson } from '../wire/parse.js';
import { readSmall, writeAtomic } from './files.js';

const id = Type.String({ minLength: 1, maxLength: 64 });

export const Identity = Type.Object({
  format: Type.Literal(1),
  serverUrl: Type.String({ maxLength: 2048 }),
  serverId: id,
  deviceId: id,
  key: SigningKey,
  /** `unverified`: the policy key was trusted on first use, and everyone is told. */
  policyKey: Type.Enum(['verified', 'unverified']),
  enrolledAt: Type.String({ format: 'date-time' }),
});
export type Identity = Static<typeof Identity>;

const Floor = Type.Object({
  sequence: Type.Integer({ minimum: 0 }),
  sha256: Type.Union([Type.String({ pattern: '^[0-9a-f]{64}$' }), Type.Null()]),
});

export const Pins = Type.Object({
  format: Type.Literal(1),
  serverId: id,
  deviceId: id,
  /** JWK `x` of the policy key trusted now; a signed rotation replaces it. */
  policyKey: PublicKeyX,
  bundle: Floor,
  /** The assignment that was taken last. */
  assignment: Floor,
  /** By the JWK `x` of an online key, the highest sequence of the assignments it signed. */
  assignmentFloors: Type.Optional(
    Type.Record(PublicKeyX, Type.Integer({ minimum: 0 }), { maxProperties: 64 }),
  ),
  /** Thumbprints of policy keys that were trusted and no longer are; no setting brings one back. */
  retired: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 256 })),
  /** SHA-256 of documents that were refused and told of; the newest last. */
  refused: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 })),
});
export type Pins = Static<typeof Pins>;

/** A device key made for an enrolment that has not been answered yet, so that a retry uses it again. */
export const Enrolling = Type.Object({
  format: Type.Literal(1),
  serverUrl: Type.String({ maxLength: 2048 }),
  key: SigningKey,
});
export type Enrolling = Static<typeof Enrolling>;

export const identityFile = (dataFolder: string): string => path.join(dataFolder, 'identity.json');
export const pinsFile = (dataFolder: string): string => path.join(dataFolder, 'pins.json');
export const enrollingFile = (dataFolder: string): string =>
  path.join(dataFolder, 'enrolling.json');

function reading<T extends Type.TSchema>(
  schema: T,
  fileIn: (dataFolder: string) => string,
): (dataFolder: string) => Static<T> | null {
  const check = checker(schema);
  return (dataFolder) => {
    const file = fileIn(dataFolder);
    const text = readSmall(file);
    if (text === null) return null;
    const tree = parseJson(text, 64 * 1024);
    const parsed = tree.kind === 'value' ? check(tree.value) : tree;
    if (parsed.kind === 'value') return parsed.value;
    throw new CurfewError('STORE_DAMAGED', `${file} is damaged: ${parsed.path} ${parsed.message}`, {
      hint: 'Restore it from a backup, or move it away and enrol this device again.',
    });
  };
}

const writing =
  <T>(fileIn: (dataFolder: string) => string) =>
  (dataFolder: string, content: T): void =>
    writeAtomic(fileIn(dataFolder), `${JSON.stringify(content, null, 2)}\n`);

/** Null: not enrolled. STORE_DAMAGED when the file is there and is not what it should be. */
export const readIdentity = reading(Identity, identityFile);
export const writeIdentity = writing<Identity>(identityFile);
export const readPins = reading(Pins, pinsFile);
export const writePins = writing<Pins>(pinsFile);
export const readEnrolling = reading(Enrolling, enrollingFile);
export const writeEnrolling = writing<Enrolling>(enrollingFile);
