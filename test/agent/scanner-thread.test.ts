/** The thread as it is built, on a real home: scans that follow one another, with a catalogue that is sent once. */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { createScanner, type ScanOutcome } from '../../agent/scanner.js';
import { builtInCatalogue, indexCatalogue } from '../../policies/catalogue.js';
import { buildAgent } from '../worlds/built-agent.js';
import { demoHome, demoInstalls } from '../worlds/demo.js';
import { npmLauncher } from '../worlds/native.js';
import { makeFolder } from './store-fixture.js';

const installs = ({ readings }: ScanOutcome): readonly string[] =>
  readings
    .flatMap(({ components }) => components)
    .filter(({ state }) => state === 'installed')
    .map(({ tool, channel, version }) => `${tool} ${channel} ${version}`)
    .sort();

test('the built thread finds what is there, what comes, and by a catalogue of another bundle', async () => {
  const home = path.join(makeFolder(), 'ana');
  demoHome(home);
  const built = await buildAgent('scanner');
  const worker = pathToFileURL(path.join(path.dirname(built.program), 'scanner-worker.mjs'));
  const place = { kind: 'homes', folders: [home], hasNetworkHomes: true } as const;
  const scanner = createScanner({ place, worker });
  const { tools, editors, advisories } = builtInCatalogue();
  const document = { format: 1 as const, tools, editors, advisories };
  const other = indexCatalogue(
    { ...document, tools: tools.filter(({ id }) => id !== 'codex-cli') },
    'f'.repeat(64),
  );
  const asked = { named: new Map(), wholeChannels: new Set<never>() };
  const request = { roots: 'all', asked, processes: null } as const;
  try {
    const planted = demoInstalls.map((words) => words.join(' '));
    expect(installs(await scanner.scan({ ...request, catalogue: null }))).toEqual(
      expect.arrayContaining(planted),
    );
    const node = path.join(home, '.nvm', 'versions', 'node', 'v22.22.0');
    npmLauncher(node, { name: '@google/gemini-cli', version: '0.61.0', command: 'gemini' });
    const again = installs(await scanner.scan({ ...request, catalogue: null }));
    expect(again).toContain('gemini-cli npm 0.61.0');
    for (const catalogue of [other, other]) {
      const found = installs(await scanner.scan({ ...request, catalogue }));
      expect(found).toContain('gemini-cli npm 0.61.0');
      expect(found.filter((one) => one.startsWith('codex-cli'))).toEqual([]);
    }
  } finally {
    scanner.close();
    built.remove();
    fs.rmSync(home, { recursive: true, force: true });
  }
});
