/** The commands shown for a tool: the vendor's own words, and what follows from a package's name. */
import { describe, expect, test } from 'vitest';
import { builtInCatalogue, type Tool } from '../../policies/catalogue.js';
import { commandsOf } from '../../policies/commands.js';

const { tools } = builtInCatalogue();
const toolOf = (id: string): Tool => {
  const tool = builtInCatalogue().tool(id);
  if (tool === null) throw new Error(`${id} is no tool`);
  return tool;
};
const shown = (id: string): string[] =>
  commandsOf(toolOf(id)).map(({ way, install, uninstall }) => `${way}: ${install} / ${uninstall}`);

test('a tool with a package manager shows the command of each', () => {
  expect(shown('crush')).toEqual([
    'npm: npm install -g @charmland/crush / npm uninstall -g @charmland/crush',
    'homebrew: brew install charmbracelet/tap/crush / brew uninstall crush',
    'winget: winget install --id charmbracelet.crush --exact / winget uninstall --id charmbracelet.crush --exact',
  ]);
});

test('the words of an entry come before those that follow from its name', () => {
  expect(shown('claude-code')).toContain(
    'script: curl -fsSL https://claude.ai/install.sh | bash / null',
  );
  expect(shown('claude-code')).toContain(
    'native: null / rm -rf ~/.local/bin/claude ~/.local/share/claude',
  );
  expect(shown('claude-code')).toContain('apk: apk add claude-code / apk del claude-code');
});

test('each way is named once', () => {
  for (const tool of tools) {
    const named = commandsOf(tool).map(({ way }) => way);
    expect(new Set(named).size, tool.id).toBe(named.length);
  }
});

describe('commands that an entry writes itself', () => {
  const named: Readonly<Record<string, keyof Tool['identifiers']>> = {
    npm: 'npm',
    pip: 'pypi',
    pipx: 'pypi',
    uv: 'pypi',
    winget: 'winget',
    scoop: 'scoop',
    vscode: 'editorExtension',
    apk: 'apk',
  };

  test.each(tools)('$id name its own packages', (tool) => {
    for (const [way, command] of [
      ...Object.entries(tool.install),
      ...Object.entries(tool.uninstall),
    ]) {
      const kind = named[way];
      const words = command.split(/\s+/);
      const known =
        way === 'homebrew'
          ? [...tool.identifiers.homebrewFormula, ...tool.identifiers.homebrewCask]
          : kind === undefined
            ? null
            : tool.identifiers[kind];
      // A tap stands before the name of a formula or cask.
      const isNamed = known?.some((name) =>
        words.some((word) => word === name || word.endsWith(`/${name}`)),
      );
      expect(isNamed ?? true, `${way}: ${command}`).toBe(true);
      if (way === 'homebrew') {
        const isCask = command.includes('--cask');
        const list = isCask ? tool.identifiers.homebrewCask : tool.identifiers.homebrewFormula;
        expect(
          list.some((name) => (words.at(-1) ?? '').endsWith(name)),
          command,
        ).toBe(true);
      }
    }
  });
});
