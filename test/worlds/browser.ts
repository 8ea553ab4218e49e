/**
 * Finds a Chromium for tests of the console: the one named by CURFEW_CHROMIUM, one on PATH, or one that
 * Playwright has downloaded. Where a missing browser must not pass silently (CI, CURFEW_GET_BROWSER=1)
 * it is installed with the system's own package manager; elsewhere nothing is ever installed.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const installTimeoutMs = 5 * 60_000;

/** What Chromium must be told so that it stays quiet, works as root and without a graphics card. */
export const browserArguments: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How a person gets a browser for these tests. */
export const howToGetBrowser =
  'Install Chromium (Debian: apt-get install chromium), or name one with CURFEW_CHROMIUM=/path/to/chromium, ' +
  'or set CURFEW_GET_BROWSER=1 to have it installed (Debian, as root).';

/** Whether tests must fail rather than be skipped when there is no browser. */
export const isBrowserRequired =
  process.env['CI'] === 'true' || process.env['CURFEW_GET_BROWSER'] === '1';

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(): string | null {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    if (folder === '') continue;
    for (const name of names) {
      const file = path.join(folder, name + suffix);
      if (isExecutable(file)) return file;
    }
  }
  return null;
}

/** Where Playwright keeps browsers: https://playwright.dev/docs/browsers#managing-browser-binaries. */
function playwrightFolder(): string {
  const chosen = process.env['PLAYWRIGHT_BROWSERS_PATH'];
  if (chosen !== undefined && chosen !== '' && chosen !== '0') return chosen;
  switch (process.platform) {
    case 'darwin':
      return path.join(homedir(), 'Library', 'Caches', 'ms-playwright');
    case 'win32':
      return path.join(process.env['LOCALAPPDATA'] ?? homedir(), 'ms-playwright');
    default:
      return path.join(homedir(), '.cache', 'ms-playwright');
  }
}

const insidePlaywright = [
  'chrome-linux64/chrome',
  'chrome-linux/chrome',
  'chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
  'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
  'chrome-win64/chrome.exe',
  'chrome-win/chrome.exe',
];

function fromPlaywright(): string | null {
  const folder = playwrightFolder();
  let versions: string[];
  try {
    versions = readdirSync(folder).filter((name) => /^chromium-\d+$/.test(name));
  } catch {
    return null;
  }
  const newestFirst = versions.sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)));
  const files = newestFirst.flatMap((version) =>
    insidePlaywright.map((inside) => path.join(folder, version, inside)),
  );
  return files.find(isExecutable) ?? null;
}

/** The browser to use; null: there is none. Throws when CURFEW_CHROMIUM names no program. */
export function findBrowser(): string | null {
  const named = process.env['CURFEW_CHROMIUM'];
  if (named !== undefined && named !== '') {
    if (isExecutable(named)) return named;
    throw new Error(`CURFEW_CHROMIUM is "${named}", which is not a program that can be run.`);
  }
  return onPath() ?? fromPlaywright();
}

/** The browser to use, installed if need be. Throws with the way to get one. */
export async function getBrowser(): Promise<string> {
  const found = findBrowser();
  if (found !== null) return found;
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error(`There is no Chromium and this user cannot install it. ${howToGetBrowser}`);
  const run = promisify(execFile);
  const options = {
    timeout: installTimeoutMs,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  try {
    await run('apt-get', ['update', '-qq'], options);
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], options);
  } catch (cause) {
    throw new Error(`Chromium could not be installed with apt-get. ${howToGetBrowser}`, { cause });
  }
  const installed = findBrowser();
  if (installed === null) throw new Error(`apt-get installed no Chromium. ${howToGetBrowser}`);
  return installed;
}
