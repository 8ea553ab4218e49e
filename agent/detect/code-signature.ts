/**
 * Who signed a macOS program and under which identifier: the code directory in the signature's superblob
 * (`cs_blobs.h` of apple-oss-distributions/xnu). It reads what the signature says and does not check it:
 * a copy of a signed program keeps its bytes, and one that was changed is still that program.
 */
import type { Layout, ReadBytes } from './executable-format.js';

export interface CodeSignature {
  /** null for a signature that anyone can make ("ad hoc"). */
  readonly team: string | null;
  readonly identifier: string;
}

const embedded = 0xfade0cc0;
const codeDirectory = 0xfade0c02;
const hasTeam = 0x20200;
const maxBlobs = 32;
/** The code directory and its names come first; what follows is a hash per page of the program. */
const signatureBytes = 64 * 1024;

/** The signature of a program that is laid out so; null where it has none or it does not hold together. */
export function signatureOf({ signature }: Layout, read: ReadBytes): CodeSignature | null {
  if (signature === null) return null;
  const blob = read(signature.offset, Math.min(signature.length, signatureBytes));
  try {
    return blob === null ? null : readCodeSignature(blob);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** null: no such signature, or one that does not hold together. Numbers are big-endian. */
export function readCodeSignature(blob: Buffer): CodeSignature | null {
  if (blob.length < 12 || blob.readUInt32BE(0) !== embedded) return null;
  const count = Math.min(blob.readUInt32BE(8), maxBlobs, Math.floor((blob.length - 12) / 8));
  for (let index = 0; index < count; index += 1) {
    const at = blob.readUInt32BE(12 + index * 8 + 4);
    if (at + 52 > blob.length || blob.readUInt32BE(at) !== codeDirectory) continue;
    const identifier = textAt(blob, at, blob.readUInt32BE(at + 20));
    const teamAt = blob.readUInt32BE(at + 8) >= hasTeam ? blob.readUInt32BE(at + 48) : 0;
    if (identifier === null) return null;
    return { identifier, team: teamAt === 0 ? null : textAt(blob, at, teamAt) };
  }
  return null;
}

function textAt(blob: Buffer, directory: number, offset: number): string | null {
  const from = directory + offset;
  const end = blob.indexOf(0, from);
  if (offset === 0 || end === -1 || end - from > 200) return null;
  const text = blob.toString('latin1', from, end);
  return /^[\x21-\x7e]+$/.test(text) ? text : null;
}
