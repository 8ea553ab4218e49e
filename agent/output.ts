/**
 * Where a command's words go. A file or a pipe is written to directly: the streams of Node cost a tenth
 * of a scan's start. Only a Windows console gets its stream, which knows how it takes text.
 */
import fs from 'node:fs';

/** Milliseconds between two tries at a pipe whose reader is slow. */
const pauseMs = 2;

/** Writes text whole to standard output (1) or standard error (2); a reader that is gone ends the process. */
export function writeTo(descriptor: 1 | 2, text: string): void {
  if (process.platform === 'win32' && fs.fstatSync(descriptor).isCharacterDevice()) {
    (descriptor === 1 ? process.stdout : process.stderr).write(text);
    return;
  }
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length;) {
    try {
      at += fs.writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A reader that has seen enough (head) closes the pipe; that is no failure of ours.
      if (code === 'EPIPE') process.exit();
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}
