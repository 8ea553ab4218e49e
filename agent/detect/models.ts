/**
 * Local models by name, where the runners that a person uses keep them: Ollama's manifests, LM Studio's
 * folders, the cache of Hugging Face, and single files of llama.cpp and GPT4All. Names of files and
 * folders are all that is looked at; no model is opened, and none is a tool. A policy says what leaves.
 * Layouts: ollama/ollama (types/model/name.go), lmstudio.ai/docs (import models),
 * huggingface.co/docs/huggingface_hub (manage-cache), ggml-org/llama.cpp (common/download.cpp).
 */
import type { Component } from '../../policies/component.js';
import { writePackageUrl } from '../../policies/package-url.js';
import { homeOf, makeComponent } from './component.js';
import type { Detector, Home, Reader, Root, World } from './index.js';

type Layout = 'ollama' | 'lm-studio' | 'huggingface' | 'files';

interface ModelPlace {
  readonly manager: string;
  readonly layout: Layout;
  /** Below a home, or a path of the machine. */
  readonly at: string;
}

const everywhere: readonly ModelPlace[] = [
  { manager: 'ollama', layout: 'ollama', at: '.ollama/models/manifests' },
  { manager: 'lm-studio', layout: 'lm-studio', at: '.lmstudio/models' },
  { manager: 'lm-studio', layout: 'lm-studio', at: '.cache/lm-studio/models' },
  { manager: 'huggingface', layout: 'huggingface', at: '.cache/huggingface/hub' },
  { manager: 'llama-cpp', layout: 'files', at: '.cache/llama.cpp' },
  { manager: 'gguf', layout: 'files', at: 'models' },
];

const places: Readonly<Record<World['platform'], readonly ModelPlace[]>> = {
  linux: [
    ...everywhere,
    { manager: 'gpt4all', layout: 'files', at: '.local/share/nomic.ai/GPT4All' },
    { manager: 'jan', layout: 'files', at: '.local/share/Jan/data/llamacpp/models' },
    { manager: 'ollama', layout: 'ollama', at: '/usr/share/ollama/.ollama/models/manifests' },
  ],
  darwin: [
    ...everywhere,
    { manager: 'llama-cpp', layout: 'files', at: 'Library/Caches/llama.cpp' },
    { manager: 'gpt4all', layout: 'files', at: 'Library/Application Support/nomic.ai/GPT4All' },
    {
      manager: 'jan',
      layout: 'files',
      at: 'Library/Application Support/Jan/data/llamacpp/models',
    },
  ],
  win32: [
    ...everywhere,
    { manager: 'llama-cpp', layout: 'files', at: 'AppData/Local/llama.cpp' },
    { manager: 'gpt4all', layout: 'files', at: 'AppData/Local/nomic.ai/GPT4All' },
    { manager: 'jan', layout: 'files', at: 'AppData/Roaming/Jan/data/llamacpp/models' },
  ],
};

const maxModels = 2_000;
/** Registry, owner, name and tag: how deep Ollama's manifests lie. */
const ollamaDepth = 4;

export const models: Detector = {
  channel: 'model',
  roots(world) {
    const usual = places[world.platform].flatMap((place) => {
      if (!place.at.startsWith('/')) {
        const folders = place.at.split('/');
        return world.homes.map((home) =>
          toRoot(place, world.path.join(home.path, ...folders), home),
        );
      }
      return world.hasSystem ? [toRoot(place, place.at, null)] : [];
    });
    const roots = new Map([...usual, ...movedRoots(world)].map((root) => [root.id, root]));
    return [...roots.values()];
  },
  read(root, world, reader) {
    const found = finders[root.layout as Layout](root.path, world, reader);
    if (found.length > maxModels) reader.note(root.path, 'too-many');
    return found.slice(0, maxModels).map((model) => componentOf(model, root, world));
  },
};

type Runner = Omit<ModelPlace, 'at'>;

function toRoot({ manager, layout }: Runner, path: string, home: Home | null): Root {
  const boundary = { within: [home?.path ?? path] };
  const id = `model:${path}`;
  return { id, channel: 'model', manager, layout, path, home, boundary, watch: [path] };
}

/** Variables that move a runner's models, and the folder below what they name. */
const variables: readonly (Runner & { readonly variable: string; readonly below: string })[] = [
  { variable: 'OLLAMA_MODELS', below: 'manifests', manager: 'ollama', layout: 'ollama' },
  { variable: 'HF_HUB_CACHE', below: '', manager: 'huggingface', layout: 'huggingface' },
  { variable: 'HF_HOME', below: 'hub', manager: 'huggingface', layout: 'huggingface' },
  { variable: 'LLAMA_CACHE', below: '', manager: 'llama-cpp', layout: 'files' },
];
const lmStudio: Runner = { manager: 'lm-studio', layout: 'lm-studio' };
/** LM Studio writes where its folder is into this file of the home, and into its settings where models are. */
const lmStudioPointer = '.lmstudio-home-pointer';
const maxRecordBytes = 256 * 1024;

/** Where a person's start files and LM Studio's records say that models are kept instead. */
function movedRoots(world: World): readonly Root[] {
  const ofHomes = world.homes.flatMap((home) => {
    const named = variables.flatMap(({ variable, below, ...runner }) => {
      const folder = home.env[variable];
      return folder === undefined ? [] : [{ runner, path: world.path.join(folder, below) }];
    });
    const lm = lmStudioFolders(home, world).map((path) => ({ runner: lmStudio, path }));
    return [...named, ...lm].flatMap(({ runner, path }) => {
      if (homeOf(world, path) === home) return [toRoot(runner, path, home)];
      const isMachine = world.hasSystem && homeOf(world, path) === null;
      return isMachine ? [toRoot(runner, path, null)] : [];
    });
  });
  return [...ofHomes, ...serviceFolders(world)];
}

function lmStudioFolders(home: Home, world: World): readonly string[] {
  const { join, isAbsolute } = world.path;
  const reader = world.reader({ within: [home.path] });
  const isFolder = (value: unknown): value is string =>
    typeof value === 'string' && isAbsolute(value) && !value.includes('\0');
  const named = reader.text(join(home.path, lmStudioPointer), maxRecordBytes)?.trim();
  const moved = isFolder(named) ? named : null;
  const file = join(moved ?? join(home.path, '.lmstudio'), 'settings.json');
  const isOwn = homeOf(world, file) === home && reader.facts(file) !== null;
  const settings = isOwn ? reader.json(file, maxRecordBytes) : null;
  const isRecord = typeof settings === 'object' && settings !== null;
  const downloads = isRecord && 'downloadsFolder' in settings ? settings.downloadsFolder : null;
  return [
    ...(moved === null ? [] : [join(moved, 'models')]),
    ...(isFolder(downloads) ? [downloads] : []),
  ];
}

const unit = '/etc/systemd/system/ollama.service';

/** `Environment="OLLAMA_MODELS=/srv/models"` of the service and of what an admin adds to it. */
function serviceFolders(world: World): readonly Root[] {
  if (!world.hasSystem || world.platform !== 'linux') return [];
  const reader = world.reader({ within: ['/etc/systemd/system'] });
  if (reader.facts(unit) === null) return [];
  const added = reader
    .list(`${unit}.d`)
    .filter(({ name, kind }) => kind === 'file' && name.endsWith('.conf'))
    .map(({ name }) => `${unit}.d/${name}`);
  return [unit, ...added].flatMap((file) => {
    const set = /^Environment=["']?OLLAMA_MODELS=(\/[^"'\s]+)/m;
    const folder = set.exec(reader.text(file, maxRecordBytes) ?? '')?.[1];
    if (folder === undefined || homeOf(world, folder) !== null) return [];
    return [toRoot({ manager: 'ollama', layout: 'ollama' }, `${folder}/manifests`, null)];
  });
}

interface Model {
  readonly name: string;
  readonly path: string;
  readonly evidence: string;
  readonly purl?: string | null;
}

type Find = (folder: string, world: World, reader: Reader) => readonly Model[];

const finders: Readonly<Record<Layout, Find>> = {
  ollama: ollamaModels,
  'lm-studio': lmStudioModels,
  huggingface: hubModels,
  files: modelFiles,
};

const foldersIn = (folder: string, reader: Reader): readonly string[] =>
  reader
    .list(folder)
    .filter(({ kind, name }) => {
      // Models are often moved to a larger disk and linked back: not followed, and not silent.
      if (kind === 'link') reader.note(`${folder}/${name}`, 'refused-entry');
      return kind === 'dir' && !name.startsWith('.');
    })
    .map(({ name }) => name)
    .slice(0, maxModels);

/** `registry.ollama.ai/library/llama3.2/3b` is `llama3.2:3b`; others keep their owner and registry. */
function ollamaModels(top: string, world: World, reader: Reader): readonly Model[] {
  let level: readonly (readonly string[])[] = [[]];
  for (let depth = 1; depth < ollamaDepth; depth += 1) {
    level = level
      .flatMap((parts) =>
        foldersIn(world.path.join(top, ...parts), reader).map((name) => [...parts, name]),
      )
      .slice(0, maxModels);
  }
  return level.flatMap((parts) => {
    const folder = world.path.join(top, ...parts);
    const [registry = '', owner = '', name = ''] = parts;
    const isOwn = registry === 'registry.ollama.ai';
    const start = isOwn ? (owner === 'library' ? [] : [owner]) : [registry, owner];
    return reader
      .list(folder)
      .filter(({ kind }) => kind === 'file')
      .map((tag) => ({
        name: `${[...start, name].join('/')}:${tag.name}`,
        path: world.path.join(folder, tag.name),
        evidence: 'manifest',
      }));
  });
}

const isModelFile = (name: string): boolean => /\.(gguf|safetensors)$/i.test(name);

/** `publisher/repository` with at least one file of a model in it. */
function lmStudioModels(top: string, world: World, reader: Reader): readonly Model[] {
  return foldersIn(top, reader).flatMap((publisher) =>
    foldersIn(world.path.join(top, publisher), reader).flatMap((repository) => {
      const path = world.path.join(top, publisher, repository);
      const isThere = reader.list(path).some(({ name }) => isModelFile(name));
      return isThere ? [{ name: `${publisher}/${repository}`, path, evidence: 'model file' }] : [];
    }),
  );
}

/** `models--owner--name`; the folders of data sets and spaces beside them are none. */
function hubModels(top: string, world: World, reader: Reader): readonly Model[] {
  return foldersIn(top, reader).flatMap((folder) => {
    const [kind, ...parts] = folder.split('--');
    if (kind !== 'models' || parts.length === 0 || parts.includes('')) return [];
    const [owner, ...rest] = parts.length === 1 ? [null, ...parts] : parts;
    const short = rest.join('--');
    const name = owner === null ? short : `${owner}/${short}`;
    const path = world.path.join(top, folder);
    return [{ name, path, evidence: 'cache folder', purl: hubUrl(owner ?? null, short) }];
  });
}

/** https://github.com/package-url/purl-spec/blob/main/types-doc/huggingface-definition.md */
function hubUrl(owner: string | null, name: string): string | null {
  return writePackageUrl({ type: 'huggingface', namespace: owner, name });
}

/** Files in the folder, and in folders of their own in it, where they may all bear one name. */
function modelFiles(top: string, world: World, reader: Reader): readonly Model[] {
  const { join } = world.path;
  const folders = foldersIn(top, reader).map((name) => ({ name, path: join(top, name) }));
  return [{ name: '', path: top }, ...folders].flatMap((folder) =>
    reader
      .list(folder.path)
      .filter(({ name, kind }) => kind === 'file' && /\.gguf$/i.test(name) && !isPart(name))
      .map(({ name }) => {
        const stem = name.replace(/\.gguf$/i, '');
        const isPlain = folder.name !== '' && stem.toLowerCase() === 'model';
        return {
          name: isPlain ? folder.name : stem,
          path: join(folder.path, name),
          evidence: 'model file',
        };
      }),
  );
}

/** What belongs to a model beside it: its eyes, and the second and later pieces of a large one. */
const isPart = (name: string): boolean =>
  /^mmproj\b/i.test(name) || /-0000[2-9]-of-\d{5}\.gguf$|-000[1-9]\d-of-\d{5}\.gguf$/i.test(name);

function componentOf({ evidence, ...model }: Model, root: Root, world: World): Component {
  return makeComponent(world, {
    ...model,
    tool: null,
    channel: 'model',
    manager: root.manager,
    version: null,
    state: 'installed',
    confidence: evidence === 'cache folder' ? 'medium' : 'high',
    evidence: [evidence],
  });
}
