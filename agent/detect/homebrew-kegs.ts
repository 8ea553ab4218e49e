/**
 * What a formula that nobody names has inside: the npm or Python package that it was made of says
 * whether it is a tool of the catalogue under another formula's name, or looks like an AI tool. Only the
 * keg in use is looked into, and of it the one package. Problems with other software are dropped.
 */
import { normalName } from '../../policies/catalogue.js';
import { hasConsoleScript, npmSigns, pypiSigns, type Signs } from './candidates.js';
import { toolOf } from './component.js';
import type { Reader, World } from './index.js';
import { parseHeader } from './python-records.js';

/** `tool` null: it only looks like one, for the reasons in `signs`. */
export interface KegContents {
  readonly tool: string | null;
  readonly signs: Signs | null;
  readonly evidence: string;
}

const maxPackages = 50;

/** null for whatever is neither. `name` is the formula's. */
export function kegContents(
  keg: string,
  name: string,
  world: World,
  reader: Reader,
): KegContents | null {
  const lib = world.path.join(keg, 'libexec', 'lib');
  if (reader.facts(lib) === null) return null;
  const below = reader.list(lib).filter(({ kind }) => kind === 'dir');
  for (const { name: folder } of below) {
    const found =
      folder === 'node_modules'
        ? nodeContents(world.path.join(lib, folder), name, world, reader)
        : /^python3(\.\d+)?$/.test(folder)
          ? pythonContents(world.path.join(lib, folder, 'site-packages'), name, world, reader)
          : null;
    if (found !== null) return found;
  }
  return null;
}

/** `npm install -g` into the keg leaves one package; of more it is the one with the formula's name. */
function nodeContents(
  modules: string,
  name: string,
  world: World,
  reader: Reader,
): KegContents | null {
  const packages = reader.list(modules).flatMap((entry) => {
    if (entry.kind !== 'dir' || entry.name.startsWith('.')) return [];
    const at = world.path.join(modules, entry.name);
    if (!entry.name.startsWith('@')) return [at];
    return reader.list(at).map((inner) => world.path.join(at, inner.name));
  });
  const own = packages.filter((at) => world.path.basename(at) === name);
  const [folder] = own.length > 0 ? own : packages.length === 1 ? packages : [];
  if (folder === undefined || packages.length > maxPackages) return null;
  const manifest = reader.json(world.path.join(folder, 'package.json'));
  const given =
    typeof manifest === 'object' && manifest !== null && 'name' in manifest ? manifest.name : null;
  if (typeof given !== 'string') return null;
  const tool = toolOf(world, 'npm', given);
  const evidence = 'package.json';
  if (tool !== 'unwanted') return { tool, signs: null, evidence };
  const signs = npmSigns(manifest, world.catalogue);
  return signs === null ? null : { tool: null, signs, evidence };
}

/** Of a virtual environment only the package that bears the formula's name; the rest it depends on. */
function pythonContents(
  site: string,
  name: string,
  world: World,
  reader: Reader,
): KegContents | null {
  const wanted = normalName('pypi', name);
  const entry = reader.list(site).find(({ name: each }) => {
    const stem = /^(.+?)-\d[^-]*\.dist-info$/.exec(each)?.[1];
    return stem !== undefined && normalName('pypi', stem) === wanted;
  });
  if (entry === undefined) return null;
  const text = (file: string): string => reader.text(world.path.join(site, entry.name, file)) ?? '';
  const metadata = text('METADATA');
  const header = parseHeader(metadata);
  if (header === null) return null;
  const tool = toolOf(world, 'pypi', header.name);
  const evidence = 'METADATA';
  if (tool !== 'unwanted') return { tool, signs: null, evidence };
  if (!hasConsoleScript(text('entry_points.txt'))) return null;
  const signs = pypiSigns(wanted, metadata, world.catalogue);
  return signs === null ? null : { tool: null, signs, evidence };
}
