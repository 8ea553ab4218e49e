/**
 * Hashes that both sides must compute alike: the link of a stream's chain and the text of a signed
 * document. SHA-256 in lower-case hex throughout. Nothing here decides what is reported; it only says
 * whether two sides hold the same.
 */
import { createHash } from 'node:crypto';

/** `prev` of the first report of a stream. */
export const zeroHash = '0'.repeat(64);

/** SHA-256 of a text as UTF-8. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** The chain's link: SHA-256 of `stream LF seq LF prev LF body`, as `Report` in `messages.ts` says. */
export function reportHash(stream: string, seq: number, prev: string, body: string): string {
  return sha256Hex(`${stream}\n${seq}\n${prev}\n${body}`);
}
