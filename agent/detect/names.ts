/**
 * Names of files as text that loses nothing. POSIX names are bytes; those that are no UTF-8 cannot be
 * text as they are. Each such byte is spelled as U+FFFD and two hexadecimal digits (`0xff` is `\ufffdff`),
 * and so are the three bytes of a U+FFFD that a name really holds: every name has one spelling, and every
 * spelling is one name. `onDisk` gives the bytes back to whoever goes to the disk, also long after.
 */
import { isUtf8 } from 'node:buffer';

const mark = '\ufffd';
const spelledByte = /\ufffd([0-9a-f]{2})/g;

/** The spelling of a name or path given as bytes. */
export function decodeName(bytes: Buffer): string {
  if (isUtf8(bytes)) {
    const text = bytes.toString('utf8');
    return text.includes(mark) ? text.replaceAll(mark, `${mark}ef${mark}bf${mark}bd`) : text;
  }
  let spelling = '';
  for (let at = 0; at < bytes.length;) {
    const length = lengthAt(bytes, at);
    const piece = bytes.subarray(at, at + Math.max(length, 1));
    const text = piece.toString('utf8');
    spelling +=
      length === 0 || text === mark
        ? [...piece].map((byte) => mark + byte.toString(16).padStart(2, '0')).join('')
        : text;
    at += piece.length;
  }
  return spelling;
}

/** How many bytes the character that begins here has; 0 where none does. */
function lengthAt(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length += 1) {
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  }
  return 0;
}

/** A spelled path as the operating system takes it: text, or bytes where text cannot say it. */
export function onDisk(spelling: string): string | Buffer {
  if (!spelling.includes(mark)) return spelling;
  const pieces = spelling.split(spelledByte);
  // What the digits were taken from stands at every second place.
  return Buffer.concat(
    pieces.map((piece, index) => Buffer.from(piece, index % 2 === 0 ? 'utf8' : 'hex')),
  );
}
