/**
 * Local models by name, where the runners that a person uses keep them: Ollama's manifests, LM Studio's
 * folders, the cache of Hugging Face, and single files of llama.cpp and GPT4All. Names of files and
 * folders are all that is looked at; no model is opened, and none is a tool. They stay on the device.
 * Layouts: ollama/ollama (types/model/name.go), lmstudio.ai/docs (import models),
 * huggingface.co/docs/huggingface_hub (manage-cache), ggml-org/llama.cpp (common/download.cpp).
 */
import { PackageURL } from 'packageurl-js';
import type { Component } from '../../policies/component.js';
import { makeComponent } from './component.js';
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
    { manager: 'ollama', layout: 'ollama', at: '/usr/share/ollama/.ollama/models/manifests' },
  ],
  darwin: [
    ...everywhere,
    { manager: 'llama-cpp', layout: 'files', at: 'Library/Caches/llama.cpp' },
    { manager: 'gpt4all', layout: 'files', at: 'Library/Application Support/nomic.ai/GPT4All' },
  ],
  win32: [
    ...everywhere,
    { manager: 'llama-cpp', layout: 'files', at: 'AppData/Local/llama.cpp' },
    { manager: 'gpt4all', layout: 'files', at: 'AppData/Local/nomic.ai/GPT4All' },
  ],
};

const maxModels = 2_000;
/** Registry, owner, name and tag: how deep Ollama's manifests lie. */
const ollamaDepth = 4;

export const models: Detector = {
  channel: 'model',
  roots: (world) =>
    places[world.platform].flatMap((place) => {
      if (!place.at.startsWith('/')) return world.homes.map((home) => toRoot(place, home, world));
      return world.hasSystem ? [toRoot(place, null, world)] : [];
    }),
  read(root, world, reader) {
    const found = finders[root.layout as Layout](root.path, world, reader);
    if (found.length > maxModels) reader.note(root.path, 'too-many');
    return found.slice(0, maxModels).map((model) => componentOf(model, root, world));
  },
};

function toRoot(place: ModelPlace, home: Home | null, world: World): Root {
  const { manager, layout, at } = place;
  const path = home === null ? at : world.path.join(home.path, ...at.split('/'));
  const boundary = { within: [home?.path ?? path] };
  const id = `model:${path}`;
  return { id, channel: 'model', manager, layout, path, home, boundary, watch: [path] };
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
  try {
    return new PackageURL('huggingface', owner, name, null, null, null).toString();
  } catch {
    return null; // not a name that the scheme allows
  }
}

function modelFiles(top: string, world: World, reader: Reader): readonly Model[] {
  return reader
    .list(top)
    .filter(({ name, kind }) => kind === 'file' && /\.gguf$/i.test(name))
    .map(({ name }) => ({
      name: name.replace(/\.gguf$/i, ''),
      path: world.path.join(top, name),
      evidence: 'model file',
    }));
}

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
