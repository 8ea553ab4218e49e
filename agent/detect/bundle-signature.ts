/**
 * Who signed a macOS application: the team in the code signature of its main program, or, for a program
 * without one, in the provisioning profile that the App Store puts beside it. Read as it stands; whether
 * it is true, macOS decides when the program starts. A few small pieces of the program are read, and what
 * cannot be read is nobody's loss.
 */
import { signatureOf, type CodeSignature } from './code-signature.js';
import { layoutOf } from './executable-format.js';
import type { Reader, World } from './index.js';

const headBytes = 4096;
const maxProfileBytes = 512 * 1024;

export interface Signer {
  readonly team: string;
  readonly evidence: 'code signature' | 'provisioning profile';
}

/** `program`: the name that the bundle's record gives its main program. */
export function signerOf(
  bundle: string,
  program: string | null,
  { path }: World,
  reader: Reader,
): Signer | null {
  const isName = program !== null && program !== '' && !/[/\0]/.test(program);
  const file = isName ? path.join(bundle, 'Contents', 'MacOS', program) : null;
  const team = file === null ? null : (signatureOfFile(file, reader)?.team ?? null);
  if (team !== null) return { team, evidence: 'code signature' };
  const profile = path.join(bundle, 'Contents', 'embedded.provisionprofile');
  const text = reader.bytes(profile, maxProfileBytes)?.toString('latin1') ?? '';
  const named = /<key>TeamIdentifier<\/key>\s*<array>\s*<string>([A-Z0-9]{10})<\/string>/.exec(
    text,
  );
  return named?.[1] === undefined ? null : { team: named[1], evidence: 'provisioning profile' };
}

/** The embedded signature of a Mach-O file, of the first program in it where it holds several. */
function signatureOfFile(file: string, reader: Reader): CodeSignature | null {
  const read = (offset: number, length: number): Buffer | null =>
    reader.part(file, offset, length)?.bytes ?? null;
  const head = reader.part(file, 0, headBytes);
  if (head === null) return null;
  return signatureOf(layoutOf(head.bytes, head.size, read), read);
}
