/**
 * Programs known by what they hold, under any name and anywhere: real file layouts, each decoy beside
 * them, and what a second look costs.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scanWorld } from '../../agent/scan.js';
import { createContentsCache } from '../../agent/detect/contents-cache.js';
import { createSearcher } from '../../agent/detect/contents-search.js';
import { executables } from '../../agent/detect/executables.js';
import type { FilePart, Reader, World } from '../../agent/detect/index.js';
import { npmDetector } from '../../agent/detect/npm.js';
import { homesWorld } from '../../agent/detect/world.js';
import type { Component, Platform } from '../../policies/component.js';
import { builtInCatalogue, type Catalogue, type IdentifierKind } from '../../policies/catalogue.js';
import * as native from '../worlds/native.js';
import * as programs from '../worlds/programs.js';

const catalogue = builtInCatalogue();
let home: string;

beforeEach(() => {
  home = path.join(
    fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-contents-'))),
    'ana',
  );
  fs.mkdirSync(path.join(home, 'bin'), { recursive: true });
});
afterEach(() => fs.rmSync(path.dirname(home), { recursive: true, force: true }));

/** As the vendor's bundler writes it, with other text around. */
const claudeText = `var x={PACKAGE_URL:"@anthropic-ai/claude-code",README_URL:"https://code.claude.com/docs",VERSION:"2.1.197"};`;
const gooseText = 'crates/goose-cli/src/main.rs';

function put(file: string, bytes: Buffer | string, mode = 0o755): string {
  const full = path.join(home, file);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.writeFileSync(full, bytes, { mode });
  return full;
}

const withText = (text: string): Buffer =>
  programs.elf([
    { name: '.text', bytes: Buffer.alloc(4096, 0x90), isCode: true },
    { name: '.rodata', bytes: Buffer.from(`\0some text\0${text}\0more\0`) },
  ]);

/** A catalogue in which one identifier is Claude Code's. */
const only =
  (kind: IdentifierKind, name: string): Catalogue['match'] =>
  (asked, text) =>
    asked === kind && text === name ? catalogue.tool('claude-code') : null;

interface Options extends Partial<World> {
  readonly platform?: Platform;
}

const worldOf = ({ platform = 'linux', ...rest }: Options = {}): World => ({
  ...homesWorld([home], { catalogue, platform, isDeep: rest.isDeep ?? false }),
  ...rest,
});

const scan = (options: Options = {}): readonly Component[] =>
  scanWorld(worldOf(options), { detectors: [npmDetector, executables] }).components;

const byPath = (a: Component, b: Component): number => (a.path < b.path ? -1 : 1);

const tools = (options: Options = {}): (string | null)[][] =>
  [...scan(options)]
    .sort(byPath)
    .map(({ tool, version, path: at }) => [tool, version, path.relative(home, at)]);

describe('what a program is', () => {
  test('a Go program is its module, with the version that its build states', () => {
    put('bin/a', programs.goProgram('github.com/ollama/ollama', 'v0.12.6'));
    put('bin/b', programs.goProgram('github.com/charmbracelet/crush', '(devel)'));
    put('bin/c', programs.goProgram('github.com/mudler/LocalAI/v3', 'v3.7.0'));
    expect(tools()).toEqual([
      ['ollama', '0.12.6', 'bin/a'],
      ['crush', null, 'bin/b'],
      ['localai', '3.7.0', 'bin/c'],
    ]);
    expect(scan()[0]).toMatchObject({
      name: 'a',
      confidence: 'high',
      evidence: ['PATH', 'go module'],
    });
  });

  test('a program that the Go tools themselves have made is its module', () => {
    const real = path.join(
      import.meta.dirname,
      '../../node_modules/@esbuild/linux-x64/bin/esbuild',
    );
    const module = 'github.com/evanw/esbuild';
    const program = fs.existsSync(real) ? fs.readFileSync(real) : programs.goProgram(module, 'v1');
    put('bin/claude', program);
    expect(scan()).toEqual([]);
    const esbuild = { ...catalogue, match: only('goModule', module), sha256: 'with esbuild' };
    const [found] = scan({ catalogue: esbuild });
    expect(found).toMatchObject({ tool: 'claude-code', evidence: ['PATH', 'go module'] });
  });

  test('a Go program of before 1.18 is found by the text it points to', () => {
    const text = `\xe6${programs.moduleText('github.com/jmorganca/ollama', 'v0.1.0')}\xf9`;
    put('bin/a', withText(text));
    expect(tools()).toEqual([['ollama', '0.1.0', 'bin/a']]);
  });

  test('a signed macOS program is what its team signed under that identifier', () => {
    const options = { platform: 'darwin' } as const;
    const claude = programs.signature('com.anthropic.claude-code', 'Q6L2SF6YDW');
    put('bin/a', programs.machO(claude, claudeText));
    put('bin/b', programs.universal(programs.machO(programs.signature('codex', '2DC432GLL2'))));
    put('bin/c', programs.machO(programs.signature('com.anthropic.operon', 'Q6L2SF6YDW')));
    put('bin/d', programs.machO(programs.signature('com.anthropic.claude-code', null)));
    expect(tools(options)).toEqual([
      ['claude-code', '2.1.197', 'bin/a'],
      ['codex-cli', null, 'bin/b'],
    ]);
    expect(scan(options)[0]).toMatchObject({ confidence: 'high', publisher: 'Q6L2SF6YDW' });
  });

  test('a text in the data of a program counts, one in its code does not', () => {
    put('bin/a', withText(gooseText));
    put('bin/b', programs.elf([{ name: '.text', bytes: Buffer.from(gooseText), isCode: true }]));
    expect(tools()).toEqual([['goose', null, 'bin/a']]);
    expect(scan()[0]).toMatchObject({ confidence: 'medium', evidence: ['PATH', 'content marker'] });
  });

  test('a file whose tables are damaged is searched whole', () => {
    const bytes = withText(gooseText);
    bytes.writeBigUInt64LE(2n ** 60n, 0x28);
    put('bin/a', bytes);
    put('bin/b', bytes.subarray(0, 4300));
    expect(tools().map(([tool]) => tool)).toEqual(['goose', 'goose']);
  });

  test('of what Bun compiled the source is read, not the byte code', () => {
    put('bin/a', programs.bunProgram(claudeText, 5_000_000));
    const { read, world } = counting();
    expect(scan(world)).toMatchObject([{ tool: 'claude-code', version: '2.1.197' }]);
    expect(read()).toBeLessThan(200_000);
  });

  test('a bundled script copied elsewhere is the tool; a shell script that speaks of it is not', () => {
    put('bin/a', `#!/usr/bin/env node\n${' '.repeat(3_000_000)}${claudeText}\n`);
    put('bin/b', `#!/bin/sh\n# ${claudeText}\necho "crates/goose-cli/src/"\n`);
    put('bin/c', `#!/usr/bin/env python3\nprint('${claudeText}')\n`);
    expect(tools()).toEqual([['claude-code', '2.1.197', 'bin/a']]);
  });

  test('the texts of two tools in one program make it neither, as in a list of such texts', () => {
    put('bin/a', withText(`${claudeText}\0${gooseText}`));
    const list = JSON.stringify(catalogue.tools.map(({ identifiers }) => identifiers));
    put('bin/b', `#!/usr/bin/env node\nconst list = ${list};\n`);
    expect(scan()).toEqual([]);
  });
});

describe('names', () => {
  test.each([
    ['goose', 'github.com/pressly/goose/v3'],
    ['copilot', 'github.com/aws/copilot-cli'],
    ['claude', 'github.com/example/claude'],
  ])('a program called %s of another Go module is not the tool', (name, module) => {
    put(`bin/${name}`, programs.goProgram(module, 'v1.0.0'));
    expect(scan()).toEqual([]);
  });

  test.each(['agent', 'goose', 'q', 'cn', 'i', 'warp', 'kimi'])(
    'a script or program called %s is nothing by its name',
    (name) => {
      put(`bin/${name}`, '#!/bin/sh\nexec ssh-agent "$@"\n');
      put(`go/bin/${name}`, withText('nothing of the kind'));
      expect(scan()).toEqual([]);
    },
  );

  test('a module without a host in its path says nothing against a name', () => {
    put('bin/plandex', programs.goProgram('plandex-cli/x', '(devel)'));
    expect(scan()).toMatchObject([{ tool: 'plandex', confidence: 'low' }]);
  });

  test('a package moved with its manifest is that package under any name', () => {
    const record = { name: '@openai/codex', version: '0.48.0', bin: { codex: 'bin/codex.js' } };
    put('tools/thing/package.json', JSON.stringify(record), 0o644);
    put('tools/thing/bin/codex.js', '#!/usr/bin/env node\nimport "./x.js";\n');
    put('tools/thing/bin/other.js', '#!/usr/bin/env node\n');
    native.link(home, 'bin/mine', '../tools/thing/bin/codex.js');
    native.link(home, 'bin/else', '../tools/thing/bin/other.js');
    expect(scan()).toMatchObject([
      {
        tool: 'codex-cli',
        channel: 'npm',
        version: '0.48.0',
        path: path.join(home, 'tools/thing'),
      },
    ]);
  });
});

describe('one file, several names', () => {
  test('links and hard links in several folders are one component', () => {
    put('opt/x/program', withText(gooseText));
    fs.linkSync(path.join(home, 'opt/x/program'), path.join(home, 'bin/two'));
    native.link(home, 'bin/one', '../opt/x/program');
    fs.mkdirSync(path.join(home, '.local/bin'), { recursive: true });
    fs.linkSync(path.join(home, 'opt/x/program'), path.join(home, '.local/bin/three'));
    native.link(home, '.local/bin/four', '../../bin/two');
    expect(tools()).toEqual([['goose', null, '.local/bin/three']]);
    expect(tools({ isDeep: true })).toEqual([['goose', null, '.local/bin/three']]);
  });

  test('one file in the homes of two people is an install of each', () => {
    const ben = path.join(path.dirname(home), 'ben/bin');
    fs.mkdirSync(ben, { recursive: true });
    fs.linkSync(put('bin/one', withText(gooseText)), path.join(ben, 'two'));
    const homes = [home, path.dirname(ben)];
    const { components } = scanWorld(homesWorld(homes, { catalogue, platform: 'linux' }));
    expect(components.map(({ owner, name }) => [owner, name])).toEqual([
      ['ana', 'one'],
      ['ben', 'two'],
    ]);
  });

  test('a hard link to what a record explains is that install and no other', () => {
    put('.local/share/claude/versions/2.1.197', withText(claudeText));
    fs.linkSync(path.join(home, '.local/share/claude/versions/2.1.197'), path.join(home, 'bin/cc'));
    const modules = '.npm-global/lib/node_modules/@openai/codex';
    const record = { name: '@openai/codex', version: '0.169.0', bin: { codex: 'bin/codex.js' } };
    put(`${modules}/package.json`, JSON.stringify(record), 0o644);
    const program = withText('https://formulae.brew.sh/api/cask/codex.json');
    put(`${modules}/vendor/x86_64-unknown-linux-musl/codex/codex`, program);
    fs.linkSync(
      path.join(home, `${modules}/vendor/x86_64-unknown-linux-musl/codex/codex`),
      path.join(home, 'bin/co'),
    );
    expect(tools().map(([tool, , at]) => [tool, at])).toEqual([
      ['claude-code', '.local/share/claude/versions/2.1.197'],
      ['codex-cli', modules],
    ]);
  });

  test('a real copy is a second install of the same tool', () => {
    put('.local/share/claude/versions/2.1.197', withText(claudeText));
    put('bin/cc', withText(claudeText));
    expect(tools()).toEqual([
      ['claude-code', '2.1.197', '.local/share/claude/versions/2.1.197'],
      ['claude-code', '2.1.197', 'bin/cc'],
    ]);
  });
});

/** A world that counts the bytes its readers hand out in pieces. */
function counting(): { read: () => number; world: Options } {
  let count = 0;
  const { reader } = worldOf();
  const counted = (...args: Parameters<World['reader']>): Reader => {
    const inner = reader(...args);
    const part = inner.part.bind(inner);
    inner.part = (...where: Parameters<Reader['part']>): FilePart | null => {
      const piece = part(...where);
      count += piece?.bytes.length ?? 0;
      return piece;
    };
    return inner;
  };
  return { read: () => count, world: { reader: counted } };
}

describe('what it costs', () => {
  test('a second scan with the same cache, saved and made anew, reads nothing', () => {
    put('bin/a', withText(gooseText));
    put('bin/b', withText('nothing'));
    const cache = createContentsCache(catalogue.sha256);
    const first = scan({ contents: cache });
    const saved = JSON.parse(JSON.stringify(cache.entries())) as ReturnType<typeof cache.entries>;
    const { read, world } = counting();
    const contents = createContentsCache(catalogue.sha256, saved);
    expect(scan({ ...world, contents })).toEqual(first);
    expect(read()).toBe(0);
    scan({ ...world, contents: createContentsCache('another catalogue', saved) });
    expect(read()).toBeGreaterThan(0);
  });

  test('a changed file is looked into again', () => {
    const contents = createContentsCache(catalogue.sha256);
    put('bin/a', withText('nothing'));
    expect(scan({ contents })).toEqual([]);
    fs.rmSync(path.join(home, 'bin/a'));
    put('bin/a', withText(gooseText));
    expect(scan({ contents })).toMatchObject([{ tool: 'goose' }]);
  });

  test('a file whose bytes were exchanged under the old size and date is looked into again', () => {
    const contents = createContentsCache(catalogue.sha256);
    const text = withText('-'.repeat(gooseText.length));
    const file = put('bin/a', text);
    const { atime, mtime } = fs.statSync(file);
    expect(scan({ contents })).toEqual([]);
    fs.writeFileSync(file, withText(gooseText));
    fs.utimesSync(file, atime, mtime);
    expect(fs.statSync(file)).toMatchObject({ size: text.length, mtime });
    expect(scan({ contents })).toMatchObject([{ tool: 'goose' }]);
  });

  test('with the budget used up the rest waits, is counted, and costs no root', () => {
    for (const name of ['a', 'b', 'c']) put(`bin/${name}`, withText(`${name}${gooseText}`));
    const contents = createContentsCache(catalogue.sha256);
    const world = worldOf({ contents, contentBudgetBytes: 5_000 });
    const result = scanWorld(world, { detectors: [executables] });
    expect(result.status).toBe('complete');
    expect(result.readings.flatMap(({ problems }) => problems)).toEqual([
      { path: path.join(home, 'bin'), code: 'too-large', isLoss: false },
    ]);
    expect(result.components.length + contents.pending).toBe(3);
    expect(contents.pending).toBeGreaterThan(0);
    for (let more = 0; more < 3; more += 1) scan({ contents, contentBudgetBytes: 5_000 });
    expect(contents.pending).toBe(0);
    expect(scan({ contents, contentBudgetBytes: 0 })).toHaveLength(3);
  });

  test('what was replaced and cannot be read yet stays what it was', () => {
    const contents = createContentsCache(catalogue.sha256);
    put('bin/a', withText(gooseText));
    expect(scan({ contents })).toHaveLength(1);
    fs.rmSync(path.join(home, 'bin/a'));
    put('bin/a', withText(`newer ${gooseText}`));
    expect(scan({ contents, contentBudgetBytes: 0 })).toMatchObject([{ tool: 'goose' }]);
    expect(contents.pending).toBe(1);
  });

  test('a text across two pieces is found, with the version behind it', () => {
    for (const before of [1_048_576 - 20, 1_048_576 - 60, 2 * 1_048_576 - 2_060]) {
      put(
        'bin/a',
        `#!/usr/bin/env node\n${'x'.repeat(before - 20)}${claudeText}${'y'.repeat(9_000)}`,
      );
      expect(scan()).toMatchObject([{ tool: 'claude-code', version: '2.1.197' }]);
    }
  });

  test('a searcher finds each of many texts wherever it stands', () => {
    const texts = Array.from({ length: 60 }, (_, index) => `text number ${index} of sixty`);
    const { search } = createSearcher(texts);
    const bytes = Buffer.from(texts.map((text, index) => `${'z'.repeat(index)}${text}`).join(''));
    const found = new Set<number>();
    search(bytes, (index, at) => {
      expect(bytes.toString('latin1', at).startsWith(texts[index] ?? '-')).toBe(true);
      return found.add(index).size > 0;
    });
    expect([...found].sort((a, b) => a - b)).toEqual(texts.map((_, index) => index));
  });
});

describe('a deep scan', () => {
  test('finds a copy anywhere below the home that is no store and no guarded folder', () => {
    put('code/project/tools/x', withText(gooseText));
    put('.hidden/place/y', withText(claudeText));
    put('.cache/z', withText(`cached ${gooseText}`));
    put('code/project/not-executable', withText(`no ${gooseText}`), 0o644);
    put('Documents/w', withText(`document ${gooseText}`));
    expect(scan()).toEqual([]);
    expect(
      tools({ isDeep: true })
        .map(([, , at]) => at)
        .sort(),
    ).toEqual(['.hidden/place/y', 'Documents/w', 'code/project/tools/x']);
    const mac = tools({ isDeep: true, platform: 'darwin' });
    expect(mac.map(([, , at]) => at)).not.toContain('Documents/w');
  });
});
