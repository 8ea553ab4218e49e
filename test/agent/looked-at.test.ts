/** Whether a look at the disk still holds: every kind of change is seen, and what nobody looked at is not. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Reader } from '../../agent/detect/index.js';
import { homesWorld } from '../../agent/detect/world.js';
import { LookedAt, PlaceStamps } from '../../agent/looked-at.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { makeFolder } from './store-fixture.js';

let home: string;
beforeEach(() => {
  home = path.join(makeFolder(), 'ana');
  write('lib/one/package.json', '{"name":"one"}');
  write('settings.json', '{"a":1}');
  fs.symlinkSync('one', at('lib/current'));
  fs.symlinkSync('nowhere', at('lib/dangling'));
});
afterEach(() => vi.useRealTimers());

const at = (name: string): string => path.join(home, name);
function write(name: string, text: string): void {
  fs.mkdirSync(path.dirname(at(name)), { recursive: true });
  fs.writeFileSync(at(name), text);
}

const reader = (): Reader =>
  homesWorld([home], { catalogue: builtInCatalogue() }).reader({ within: ['/'] });
/** Further than the system's clock moves a file's time in one step. */
const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 25));

/** A look at a home in which nothing has changed for a while. */
async function lookAround(): Promise<LookedAt> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
  const looked = new LookedAt(path, new PlaceStamps(reader()));
  const through = looked.through(reader());
  through.list(at('lib'));
  through.json(at('settings.json'));
  through.text(at('lib/current/package.json'));
  through.facts(at('lib/one'));
  through.target(at('lib/dangling'));
  through.realPath(at('lib/current'));
  through.target(at('.config/tool/settings.json'));
  await aMoment();
  return looked;
}

const changes: Readonly<Record<string, () => void>> = {
  'a file of the same size whose date was put back': () => {
    const { atime, mtime } = fs.statSync(at('settings.json'));
    write('settings.json', '{"a":2}');
    fs.utimesSync(at('settings.json'), atime, mtime);
  },
  'another file in the place of one': () => {
    write('other.json', '{"a":1}');
    fs.renameSync(at('other.json'), at('settings.json'));
  },
  'a file that is gone': () => fs.rmSync(at('settings.json')),
  'a file that may not be read any more': () => fs.chmodSync(at('settings.json'), 0),
  'a name more in a folder that was listed': () => write('lib/two/package.json', '{}'),
  'a name less in a folder that was listed': () => fs.rmSync(at('lib/dangling')),
  'another folder in the place of one that was only asked for': () => {
    const lib = fs.statSync(at('lib'));
    fs.renameSync(at('lib/one'), at('one'));
    fs.cpSync(at('one'), at('lib/one'), { recursive: true });
    fs.utimesSync(at('lib'), lib.atime, lib.mtime);
  },
  'a file behind a link': () => write('lib/one/package.json', '{"name":"two"}'),
  'the end of a link that led nowhere': () => write('lib/nowhere', ''),
  'a folder on the way to what was not there': () => fs.mkdirSync(at('.config')),
  'a home that is not there any more': () => fs.renameSync(home, `${home}-away`),
};

test.each(Object.entries(changes))('it is seen: %s', async (_, change) => {
  const looked = await lookAround();
  expect(looked.isSame(new PlaceStamps(reader()))).toBe(true);
  change();
  expect(looked.isSame(new PlaceStamps(reader()))).toBe(false);
});

test('what nobody looked at may change', async () => {
  const looked = await lookAround();
  write('.bash_history', 'ls');
  write('lib/one/readme.md', 'words');
  write('other/file', '');
  expect(looked.isSame(new PlaceStamps(reader()))).toBe(true);
});

test('what changed just before the look does not count as known', async () => {
  const looked = new LookedAt(path, new PlaceStamps(reader()));
  looked.through(reader()).text(at('settings.json'));
  await aMoment();
  expect(looked.isSame(new PlaceStamps(reader()))).toBe(false);
});
