/**
 * Which versions the shipped advisories name. The versions with and without the covert check are those
 * in which it was looked for: 2.1.90 and 2.1.198 are free of it, 2.1.91 and 2.1.197 are not.
 */
import { describe, expect, test } from 'vitest';
import { affectedBy } from '../../policies/advisories.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { parseCatalogue } from '../../policies/catalogue-schema.js';
import type { Channel, Component } from '../../policies/component.js';

const catalogue = builtInCatalogue();
const covert = 'claude-code-covert-prompt-marker';

type Subject = Parameters<typeof affectedBy>[0];
const subject = (tool: string, version: string | null, over: Partial<Component> = {}): Subject => {
  return { tool, version, channel: 'npm', manager: null, purl: null, state: 'installed', ...over };
};
const ids = (one: Subject): string[] =>
  affectedBy(one, catalogue).flatMap(({ advisory, isCertain }) => (isCertain ? advisory.id : []));
const possible = (one: Subject): string[] =>
  affectedBy(one, catalogue).flatMap(({ advisory, isCertain }) => (isCertain ? [] : advisory.id));

describe('the covert check of Claude Code', () => {
  test.each(['2.1.91', '2.1.92', '2.1.112', '2.1.124', '2.1.182', '2.1.196', '2.1.197'])(
    'is in %s',
    (version) => {
      expect(ids(subject('claude-code', version))).toContain(covert);
    },
  );

  test.each(['2.1.89', '2.1.90', '2.1.198', '2.1.199', '2.1.213', '2.1.331', '3.0.0'])(
    'is not in %s',
    (version) => {
      expect(ids(subject('claude-code', version))).not.toContain(covert);
      expect(possible(subject('claude-code', version))).toEqual([]);
    },
  );

  test('does not let a prerelease of the fixed version count as fixed before its time', () => {
    expect(ids(subject('claude-code', '2.1.100-beta.1'))).toContain(covert);
    expect(ids(subject('claude-code', '2.1.91-rc.1'))).not.toContain(covert);
  });

  test.each<[Channel, string | null]>([
    ['homebrew', 'cask'],
    ['executable', 'native'],
    ['executable', 'desktop'],
    ['package', 'winget'],
    ['process', null],
  ])('is in every copy of the version, also in %s (%s)', (channel, manager) => {
    expect(ids(subject('claude-code', '2.1.150', { channel, manager }))).toContain(covert);
  });

  test('is in the extension of the same numbers', () => {
    const channel = 'editor-extension';
    expect(ids(subject('claude-code-vscode', '2.1.150', { channel }))).toContain(covert);
    expect(ids(subject('claude-code-vscode', '2.1.198', { channel }))).not.toContain(covert);
  });

  test.each([
    ['0.2.90', false],
    ['0.2.91', true],
    ['0.2.141', true],
    ['0.3.197', true],
    ['0.3.198', false],
  ])('is in the npm package of the Agent SDK %s: %s', (version, isIn) => {
    expect(ids(subject('sdk-claude-agent', version)).includes(covert)).toBe(isIn);
  });

  test('says nothing of the Python package, whose numbers are its own', () => {
    expect(
      affectedBy(subject('sdk-claude-agent', '0.2.100', { channel: 'pypi' }), catalogue),
    ).toEqual([]);
  });
});

describe('a version that is not known', () => {
  test('leaves every advisory of the tool possible and none certain', () => {
    const unknown = subject('claude-code', null, { channel: 'executable' });
    expect(ids(unknown)).toEqual([]);
    expect(possible(unknown)).toContain(covert);
    expect(possible(subject('claude-code', 'not a version'))).toContain(covert);
  });

  test('says nothing where there is no program, only a trace or a record of one', () => {
    const trace = { channel: 'config', state: 'residual' } as const;
    expect(affectedBy(subject('claude-code', null, trace), catalogue)).toEqual([]);
    expect(affectedBy(subject('mcp-remote', null, { channel: 'mcp' }), catalogue)).toEqual([]);
  });
});

describe('channels', () => {
  test('an advisory for one channel is none for another that counts by itself', () => {
    expect(ids(subject('cline', '2.3.0'))).toEqual(['cline-2-3-0']);
    expect(ids(subject('cline', '2.3.0', { channel: 'editor-extension' }))).toEqual([]);
    expect(ids(subject('gemini-cli', '0.39.0'))).toEqual(['GHSA-wpqr-6v78-jr5g']);
    expect(ids(subject('gemini-cli', '0.12.0', { channel: 'editor-extension' }))).toEqual([]);
  });

  test('a process and a server entry of a package count as that package', () => {
    const purl = 'pkg:npm/cline@2.3.0';
    expect(ids(subject('cline', '2.3.0', { channel: 'process', purl }))).toEqual(['cline-2-3-0']);
    const remote = { channel: 'mcp', purl: 'pkg:npm/mcp-remote@0.1.15' } as const;
    expect(ids(subject('mcp-remote', '0.1.15', remote))).toEqual(['CVE-2025-6514']);
    expect(ids(subject('mcp-remote', '0.1.16', remote))).toEqual([]);
  });

  test('exactly two releases of LiteLLM were malicious', () => {
    const found = ['1.82.6', '1.82.7', '1.82.8', '1.82.9'].filter((version) =>
      ids(subject('litellm', version, { channel: 'pypi' })).includes('litellm-2026-03'),
    );
    expect(found).toEqual(['1.82.7', '1.82.8']);
  });
});

test('a tool that is not in the catalogue has no advisories', () => {
  expect(affectedBy({ ...subject('x', '1.0.0'), tool: null }, catalogue)).toEqual([]);
  expect(affectedBy(subject('not-a-tool', '1.0.0'), catalogue)).toEqual([]);
});

describe('an advisory as its author writes it', () => {
  const tools = [
    {
      id: 'a',
      name: 'A',
      vendor: 'V',
      provider: ['any'],
      kind: 'other',
      identifiers: { npm: ['a'] },
    },
  ];
  const advisory = { id: 'A-1', title: 'T', severity: 'low', sources: ['s'], confidence: 'low' };
  const problems = (...affects: object[]): string[] => {
    const advisories = affects.map((one) => ({ ...advisory, affects: [one] }));
    const parsed = parseCatalogue({ format: 1, tools, editors: [], advisories });
    return parsed.kind === 'catalogue'
      ? []
      : parsed.problems.map(({ field, message }) => `${field}: ${message}`);
  };

  test('is taken when it names a tool, its channel and a range', () => {
    expect(problems({ tool: 'a', channels: ['npm'], versions: '>=1.0.0 <2.0.0' })).toEqual([]);
  });

  test('is refused when it names what is not there', () => {
    expect(problems({ tool: 'b', versions: '<1.0.0' })).toEqual([
      'advisories[0].affects[0].tool (A-1): b is no tool of the catalogue',
    ]);
    expect(problems({ tool: 'a', channels: ['pypi'], versions: '<1.0.0' })).toEqual([
      'advisories[0].affects[0].channels (A-1): a has no name in pypi',
    ]);
    expect(problems({ tool: 'a', versions: 'all of them' })[0]).toMatch(
      /^advisories\[0\]\.affects\[0\]\.versions \(A-1\): expected a range/,
    );
  });

  test('is refused under an id that another has', () => {
    const one = { tool: 'a', versions: '<1.0.0' };
    expect(problems(one, one)).toEqual(['advisories[1].id (A-1): is used twice']);
  });
});
