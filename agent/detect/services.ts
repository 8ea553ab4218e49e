/**
 * Services and tasks that a tool has left to be started by the system: launchd agents and daemons,
 * systemd units, scheduled tasks and Startup entries of Windows. They are known by whole file names alone, no file is
 * opened, and they are traces: often all that is left of a tool, never proof that it is there.
 */
import type { Component } from '../../policies/component.js';
import { makeComponent } from './component.js';
import type { Detector, Home, Reader, Root, World } from './index.js';

type Kind = 'launchd' | 'systemd' | 'scheduled-task' | 'startup';

/**
 * `*` is the name of a profile. Sources: docs.openclaw.ai and openclaw/openclaw (schtasks.ts), ollama's
 * install script and ollama.iss, Kiro CLI's bundle.
 */
const known: readonly { readonly tool: string; readonly kind: Kind; readonly names: string[] }[] = [
  { tool: 'openclaw', kind: 'launchd', names: ['ai.openclaw.*', 'bot.molt.*', 'com.openclaw.*'] },
  { tool: 'openclaw', kind: 'systemd', names: ['openclaw-gateway', 'openclaw-gateway-*'] },
  {
    tool: 'openclaw',
    kind: 'scheduled-task',
    names: ['OpenClaw Gateway', 'OpenClaw Gateway (*)'],
  },
  { tool: 'openclaw', kind: 'startup', names: ['OpenClaw Gateway', 'OpenClaw Gateway (*)'] },
  { tool: 'ollama', kind: 'systemd', names: ['ollama'] },
  { tool: 'ollama', kind: 'startup', names: ['Ollama'] },
  { tool: 'kiro-cli', kind: 'launchd', names: ['com.amazon.codewhisperer.launcher'] },
];

const rules = known.flatMap(({ tool, kind, names }) =>
  names.map((name) => {
    const source = name.replace(/[.()]/g, '\\$&').replace('*', '[\\w-]{1,64}');
    const isWindows = kind === 'scheduled-task' || kind === 'startup';
    return { tool, kind, test: new RegExp(`^${source}$`, isWindows ? 'i' : '') };
  }),
);

interface ServicePlace {
  readonly kind: Kind;
  /** Below a home, or a path of the machine. */
  readonly at: string;
}

const places: Readonly<Record<World['platform'], readonly ServicePlace[]>> = {
  linux: [
    { kind: 'systemd', at: '.config/systemd/user' },
    { kind: 'systemd', at: '/etc/systemd/user' },
    { kind: 'systemd', at: '/etc/systemd/system' },
  ],
  darwin: [
    { kind: 'launchd', at: 'Library/LaunchAgents' },
    { kind: 'launchd', at: '/Library/LaunchAgents' },
    { kind: 'launchd', at: '/Library/LaunchDaemons' },
  ],
  win32: [
    { kind: 'scheduled-task', at: 'C:\\Windows\\System32\\Tasks' },
    { kind: 'startup', at: 'C:\\ProgramData\\Microsoft\\Windows\\Start Menu\\Programs\\StartUp' },
    { kind: 'startup', at: 'AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup' },
  ],
};

export const services: Detector = {
  channel: 'service',
  roots: (world) =>
    places[world.platform].flatMap((place) => {
      if (!world.path.isAbsolute(place.at)) {
        return world.homes.map((home) => toRoot(place, home, world));
      }
      return world.hasSystem ? [toRoot(place, null, world)] : [];
    }),
  read: readFolder,
};

function toRoot({ kind, at }: ServicePlace, home: Home | null, { path }: World): Root {
  const folder = home === null ? at : path.join(home.path, ...at.split('/'));
  const boundary = { within: [home?.path ?? folder] };
  const rest = { manager: kind, path: folder, home, boundary };
  return { id: `service:${folder}`, channel: 'service', watch: [folder], ...rest };
}

const suffixes: Readonly<Record<Kind, RegExp>> = {
  launchd: /\.plist$/,
  systemd: /\.service$/,
  'scheduled-task': /$/,
  startup: /\.(?:lnk|cmd|bat|vbs|exe)$/i,
};

function readFolder(root: Root, world: World, reader: Reader): readonly Component[] {
  const kind = root.manager as Kind;
  const suffix = suffixes[kind];
  return reader.list(root.path).flatMap(({ name: file, kind: entry }) => {
    if ((entry !== 'file' && entry !== 'link') || !suffix.test(file)) return [];
    const name = file.replace(suffix, '');
    const tool = toolOfService(name, kind, world);
    if (tool === null) return [];
    const found = { tool, name, path: world.path.join(root.path, file), manager: kind };
    return [componentOf(found, world)];
  });
}

type Service = Pick<Component, 'tool' | 'name' | 'path' | 'manager'>;

function componentOf(service: Service, world: World): Component {
  return makeComponent(world, {
    ...service,
    channel: 'service',
    version: null,
    state: 'residual',
    confidence: 'medium',
    evidence: ['service name'],
  });
}

/** The tool that a name is of: as its own set-up names it, as `brew services` does, or by its bundle. */
function toolOfService(name: string, kind: Kind, { catalogue }: World): string | null {
  const rule = rules.find((one) => one.kind === kind && one.test.test(name));
  const formula = /^homebrew\.(?:mxcl\.)?(.+)$/.exec(name)?.[1];
  const id =
    rule?.tool ??
    (formula === undefined ? null : catalogue.match('homebrewFormula', formula)?.id) ??
    (kind === 'launchd' ? catalogue.match('bundleId', name)?.id : null);
  return id === undefined || id === null ? null : (catalogue.tool(id)?.id ?? null);
}
