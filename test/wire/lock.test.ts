/** The lock on a data folder, between real processes: one holds it, and death alone frees it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFolder, lockName } from '../../wire/lock.js';

const top = path.resolve(import.meta.dirname, '../..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a folder is had once, and again after it was let go; others are not touched by it', () => {
  const lock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(
    expect.objectContaining({
      code: 'FOLDER_IN_USE',
      message: expect.stringContaining(folder) as string,
      hint: expect.stringMatching(/^Stop that one first/) as string,
    }),
  );
  const beside = mkdtempSync(path.join(tmpdir(), 'curfew-lock-'));
  lockFolder(beside).release();
  rmSync(beside, { recursive: true });
  lock.release();
  lockFolder(folder).release();
});

/** Another process that takes the exclusive lock of the file, in SQLite's own words. */
async function holder() {
  const script = `
    const Sqlite = require('better-sqlite3');
    globalThis.held = new Sqlite(${JSON.stringify(path.join(folder, lockName))}, { timeout: 0 });
    held.exec('BEGIN EXCLUSIVE');
    process.stdout.write('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--eval', script], { cwd: top });
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return { child, ended };
}

test('what another process holds is in use until that process is killed', async () => {
  const { child, ended } = await holder();
  const inUse = expect.objectContaining({ code: 'FOLDER_IN_USE' }) as Error;
  expect(() => lockFolder(folder)).toThrow(inUse);
  child.kill('SIGKILL');
  expect(await ended).toBe('SIGKILL');
  lockFolder(folder).release();
});

test('a file that no lock can be had on is named', () => {
  writeFileSync(
    path.join(folder, lockName),
    'no database at all, but long enough to be read as one',
  );
  expect(() => lockFolder(folder)).toThrow(
    expect.objectContaining({
      code: 'FOLDER_NOT_WRITABLE',
      message: expect.stringContaining(lockName) as string,
    }),
  );
});
