/**
 * The console as it ships, for the test in a browser: built by the project's own configuration, and only
 * when a source is newer than what was built last. It serves and opens nothing.
 */
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const root = path.resolve(import.meta.dirname, '../..');
const sources = path.join(root, 'server/console');
/** The folder of the built console. */
export const builtConsole = path.join(root, 'dist/console');

const changedAt = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Builds the console unless what is there is newer than its sources. */
export async function buildConsoleIfOld(): Promise<void> {
  const newest = Math.max(
    ...readdirSync(sources).map((name) => changedAt(path.join(sources, name))),
  );
  if (changedAt(path.join(builtConsole, 'index.html')) > newest) return;
  // A process of its own: under a test's NODE_ENV the build would carry React's development half.
  const vite = path.join(root, 'node_modules/vite/bin/vite.js');
  const config = path.join(sources, 'vite.config.ts');
  await promisify(execFile)(process.execPath, [vite, 'build', '--config', config], {
    env: { ...process.env, NODE_ENV: 'production' },
  });
}
