/**
 * Python packages that a person can start or import. It looks for the catalogue's names among the
 * records of each site-packages folder and opens those alone; what a tool's own environment holds
 * besides the tool is no install of its own. Nothing is run, so an environment without its interpreter
 * is still an install, and says so. What no entry names and looks like an AI tool is a candidate.
 */
import type { Component, ComponentState } from '../../policies/component.js';
import { confidenceOf } from './candidates.js';
import { makeComponent, toolOf } from './component.js';
import type { Detector, Reader, Root, World } from './index.js';
import { pythonPlaces, rootOfPlace } from './python-places.js';
import { distributionsIn, type Distribution, type Suspects } from './python-records.js';
import { pythonSites, type Asked, type Site } from './python-sites.js';

export const python: Detector = {
  channel: 'pypi',
  roots: (world) =>
    pythonPlaces(world).map((place) => {
      return rootOfPlace(place, isWatched(place.layout) ? [place.path] : []);
    }),
  watch: (root, world) => sitesToWatch(root, world, world.reader(root.boundary)),
  read(root, world, reader) {
    return pythonSites(root, world, reader).flatMap((site) =>
      componentsIn(site, { root, world, reader }),
    );
  },
};

/** So many environments of one root are watched themselves; beyond, their folder is. */
const maxWatched = 40;

/** What nobody waits for is left to the next full scan. */
const isWatched = (layout: string | undefined): boolean =>
  !['projects', 'uvx', 'pipx-run', 'mise'].includes(layout ?? '');

/** Each site-packages folder of a root. */
function sitesToWatch(root: Root, world: World, reader: Reader): readonly string[] {
  const { layout, path } = root;
  if (!isWatched(layout) || reader.target(path)?.kind !== 'dir') return [];
  // Where packages lie in a tool's environment can be said without reading what it was made for.
  const isOfTools = layout === 'pipx' || layout === 'uv';
  const sites = pythonSites(isOfTools ? { ...root, layout: 'environments' } : root, world, reader);
  return sites.slice(0, maxWatched).map((site) => site.path);
}

interface Look {
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
}

function componentsIn(site: Site, look: Look): readonly Component[] {
  const { world, reader } = look;
  const { asked } = site;
  const lossesBefore = lossesOf(reader);
  const found = distributionsIn(site.path, world, reader, suspectsOf(site, look)).filter(
    ({ name, hasCommand }) =>
      asked?.names.has(name) !== false && (hasCommand || !site.isCommandsOnly),
  );
  const components = found.map((distribution) => recordOf(distribution, site, look));
  const isMissing = asked !== null && !found.some(({ name }) => name === asked.main);
  if (!isMissing || lossesOf(reader) > lossesBefore) return components;
  return [...components, ...remainsOf(asked, site, look)];
}

/** Interpreters and folders in which what somebody installed is there to be started by name. */
const sharedManagers: ReadonlySet<string> = new Set([
  'pip',
  'system',
  'homebrew',
  'python',
  'pyenv',
  'asdf',
  'mise',
]);

/** Where an unknown tool may show: in an environment made for it, and among a person's own packages. */
function suspectsOf({ state, scope, asked }: Site, { root }: Look): Suspects {
  if (state !== 'installed' || scope !== 'global') return null;
  if (asked !== null) return asked.names;
  return sharedManagers.has(root.manager ?? '') ? 'requested' : null;
}

const lossesOf = ({ problems }: Reader): number => problems.filter(({ isLoss }) => isLoss).length;

function recordOf(distribution: Distribution, site: Site, look: Look): Component {
  const { world, root } = look;
  const { name, version, record, signs } = distribution;
  const tool = toolOf(world, 'pypi', name);
  const isMain = name === site.asked?.main && site.environment !== null;
  const state: ComponentState = distribution.isLeftOver ? 'residual' : site.state;
  const sure = record === null ? 'medium' : 'high';
  return makeComponent(world, {
    tool: tool === 'unwanted' ? null : tool,
    channel: 'pypi',
    manager: root.manager,
    name,
    version,
    // A tool's own environment goes as a whole; elsewhere the package's record stands for it.
    path: isMain && !distribution.isLeftOver ? (site.environment ?? '') : distribution.path,
    state,
    confidence: signs === undefined ? sure : confidenceOf(signs),
    evidence: [
      ...(record === null ? ['name'] : [record]),
      ...(signs?.names ?? []),
      ...(site.asked?.record === undefined || site.asked.record === null
        ? []
        : [site.asked.record]),
      ...(hasInterpreter(site, look) ? [] : ['interpreter missing']),
    ],
    scope: site.scope,
    ...(signs === undefined ? {} : { candidate: signs.reasons }),
  });
}

/** An environment whose package is gone: the manager's record says what it was. */
function remainsOf(asked: Asked, site: Site, { root, world }: Look): readonly Component[] {
  const tool = toolOf(world, 'pypi', asked.main);
  if (tool === 'unwanted' || asked.record === null || site.environment === null) return [];
  return [
    makeComponent(world, {
      tool,
      channel: 'pypi',
      manager: root.manager,
      name: asked.main,
      version: asked.version,
      path: site.environment,
      state: 'residual',
      confidence: 'medium',
      evidence: [asked.record],
    }),
  ];
}

/** An environment made for a tool or a project has a link to its interpreter; where it leads is not asked. */
function hasInterpreter({ environment }: Site, { world, reader }: Look): boolean {
  if (environment === null) return true;
  const places =
    world.platform === 'win32'
      ? ['Scripts\\python.exe', 'python.exe']
      : ['bin/python', 'bin/python3'];
  return places.some((place) => reader.target(world.path.join(environment, place)) !== null);
}
