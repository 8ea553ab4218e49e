/**
 * The facts of this machine, asked by a process of our own that ends with its answer. Where no such
 * program lies beside (from sources), or it fails, they are asked here.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { DeviceFacts } from '../wire/messages.js';
import { fitText } from '../wire/parse.js';

const timeLimitMs = 20_000;
const maxBytes = 64 * 1024;

/** The facts with whose device it is, where the settings say so. */
export const assignedTo = (facts: DeviceFacts, assignedUser: string | null): DeviceFacts =>
  assignedUser === null ? facts : { ...facts, assignedUser: fitText(assignedUser, 256) };

/** `zone`: the IANA zone that `device-local` dates are read in. */
export async function factsAside(zone: string): Promise<DeviceFacts> {
  const program = path.join(import.meta.dirname, 'facts-process.mjs');
  const told = existsSync(program) ? await answerOf(program, zone) : null;
  return told ?? (await import('./facts.js')).deviceFacts(zone);
}

function answerOf(program: string, zone: string): Promise<DeviceFacts | null> {
  const options = { timeout: timeLimitMs, maxBuffer: maxBytes, windowsHide: true };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, zone], options, (error, stdout) => {
      try {
        resolve(error === null ? (JSON.parse(stdout) as DeviceFacts) : null);
      } catch {
        resolve(null);
      }
    });
  });
}
