/**
 * What a person types to install a tool or to be rid of it, per way of installing. A tool's own words
 * come first; for a package manager that the catalogue knows a name in, the command follows from the
 * name. Text for people and pages: nothing here is ever run, and a finding's own path decides what to
 * remove.
 */
import type { IdentifierKind, Tool } from './catalogue.js';

export interface ToolCommands {
  /** npm, homebrew, winget, script ... */
  readonly way: string;
  readonly install: string | null;
  readonly uninstall: string | null;
}

interface Way {
  readonly kind: IdentifierKind;
  readonly way: string;
  /** Other words under which an entry may name this way itself. */
  readonly also?: readonly string[];
  readonly install: (name: string) => string;
  readonly uninstall: (name: string) => string;
}

const verbs = (kind: IdentifierKind, way: string, install: string, uninstall: string): Way => {
  return {
    kind,
    way,
    install: (name) => `${install} ${name}`,
    uninstall: (name) => `${uninstall} ${name}`,
  };
};

const ways: readonly Way[] = [
  verbs('npm', 'npm', 'npm install -g', 'npm uninstall -g'),
  { ...verbs('pypi', 'pip', 'pip install', 'pip uninstall'), also: ['pipx', 'uv'] },
  verbs('homebrewFormula', 'homebrew', 'brew install', 'brew uninstall'),
  verbs('homebrewCask', 'homebrew', 'brew install --cask', 'brew uninstall --cask'),
  verbs('editorExtension', 'vscode', 'code --install-extension', 'code --uninstall-extension'),
  {
    kind: 'winget',
    way: 'winget',
    install: (name) => `winget install --id ${name} --exact`,
    uninstall: (name) => `winget uninstall --id ${name} --exact`,
  },
  verbs('scoop', 'scoop', 'scoop install', 'scoop uninstall'),
  verbs('chocolatey', 'chocolatey', 'choco install', 'choco uninstall'),
  verbs('dpkg', 'apt', 'apt install', 'apt remove'),
  verbs('rpm', 'dnf', 'dnf install', 'dnf remove'),
  verbs('apk', 'apk', 'apk add', 'apk del'),
  verbs('pacman', 'pacman', 'pacman -S', 'pacman -R'),
  verbs('snap', 'snap', 'snap install', 'snap remove'),
  verbs('flatpak', 'flatpak', 'flatpak install', 'flatpak uninstall'),
];

/** Every way of installing the tool that is known, each once, with its commands. */
export function commandsOf(tool: Tool): readonly ToolCommands[] {
  const found = new Map<string, ToolCommands>();
  for (const way of new Set([...Object.keys(tool.install), ...Object.keys(tool.uninstall)])) {
    const [install = null, uninstall = null] = [tool.install[way], tool.uninstall[way]];
    found.set(way, { way, install, uninstall });
  }
  for (const { kind, way, also = [], install, uninstall } of ways) {
    const [name] = tool.identifiers[kind];
    if (name === undefined) continue;
    const own = found.get(way);
    if (own === undefined && also.some((other) => isWhole(found.get(other)))) continue;
    found.set(way, {
      way,
      install: own?.install ?? install(name),
      uninstall: own?.uninstall ?? uninstall(name),
    });
  }
  return [...found.values()];
}

const isWhole = (commands: ToolCommands | undefined): boolean =>
  commands !== undefined && commands.install !== null && commands.uninstall !== null;
