/** Local models by the names that their runners give files and folders. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { models } from '../../agent/detect/models.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { place } from '../worlds/native.js';

const catalogue = builtInCatalogue();
let home = '';

beforeEach(() => {
  home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-models-')));
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

/** Runner and name of each model that is found. */
function found(world = homesWorld([home], { catalogue, platform: 'linux' })): unknown[] {
  const { components, status } = scanWorld(world, { detectors: [models] });
  expect(status).toBe('complete');
  for (const { tool, state } of components) expect([tool, state]).toEqual([null, 'installed']);
  return components.map(({ manager, name }) => [manager, name]);
}

describe('a place that was moved', () => {
  test.each([
    [
      'export OLLAMA_MODELS=$HOME/big',
      'big/manifests/registry.ollama.ai/library/a/1b',
      'ollama',
      'a:1b',
    ],
    ['set -gx HF_HOME ~/hf', 'hf/hub/models--a--b/refs/main', 'huggingface', 'a/b'],
    ['export HF_HUB_CACHE="$HOME/hub"', 'hub/models--a--b/refs/main', 'huggingface', 'a/b'],
    ['export LLAMA_CACHE=~/llama', 'llama/a.gguf', 'llama-cpp', 'a'],
  ])('by a start file is looked at: %s', (line, file, manager, name) => {
    const start = line.startsWith('set') ? '.config/fish/config.fish' : '.profile';
    place(home, file, '{}');
    expect(found()).toEqual([]);
    place(home, start, `${line}\n`);
    expect(found()).toEqual([[manager, name]]);
  });

  test("in LM Studio's own records is looked at, and a place outside the home is not", () => {
    place(home, '.lmstudio-home-pointer', path.join(home, 'lm'));
    place(home, 'lm/models/a/b/x.gguf', 'GGUF');
    expect(found()).toEqual([['lm-studio', 'a/b']]);
    place(home, 'disk/c/d/x.gguf', 'GGUF');
    place(home, 'lm/settings.json', JSON.stringify({ downloadsFolder: path.join(home, 'disk') }));
    expect(found()).toEqual([
      ['lm-studio', 'a/b'],
      ['lm-studio', 'c/d'],
    ]);
    place(home, 'lm/settings.json', '{"downloadsFolder":"/etc"}');
    expect(found()).toEqual([['lm-studio', 'a/b']]);
  });

  test("by what an admin adds to Ollama's service is the machine's", () => {
    place(
      home,
      'etc/systemd/system/ollama.service',
      '[Service]\nExecStart=/usr/bin/ollama serve\n',
    );
    const line = 'Environment="OLLAMA_MODELS=/srv/models"';
    place(home, 'etc/systemd/system/ollama.service.d/override.conf', `[Service]\n${line}\n`);
    place(home, 'srv/models/manifests/registry.ollama.ai/library/a/1b', '{}');
    expect(found(folderWorld(home, 'linux', { catalogue }))).toEqual([['ollama', 'a:1b']]);
  });
});

describe('a local model', () => {
  test.each([
    ['registry.ollama.ai/library/llama3.2/3b', 'llama3.2:3b'],
    ['registry.ollama.ai/ana/tuned/latest', 'ana/tuned:latest'],
    ['hf.co/bartowski/Qwen-GGUF/Q4_K_M', 'hf.co/bartowski/Qwen-GGUF:Q4_K_M'],
  ])('of Ollama, kept as %s, is %s', (manifest, name) => {
    place(home, `.ollama/models/manifests/${manifest}`, '{}');
    expect(found()).toEqual([['ollama', name]]);
  });

  test('of LM Studio has a folder with its file in it, in the new place and the old one', () => {
    place(home, '.lmstudio/models/qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf', 'GGUF');
    place(home, '.cache/lm-studio/models/mlx/Phi-4/model-00001.safetensors', 'x');
    place(home, '.lmstudio/models/qwen/half-loaded/part.tmp', '');
    expect(found()).toEqual([
      ['lm-studio', 'qwen/Qwen3-8B-GGUF'],
      ['lm-studio', 'mlx/Phi-4'],
    ]);
  });

  test('in the cache of Hugging Face is known by its folder; a data set is none', () => {
    place(home, '.cache/huggingface/hub/models--openai--whisper-tiny/refs/main', 'x');
    place(home, '.cache/huggingface/hub/models--gpt2/refs/main', 'x');
    place(home, '.cache/huggingface/hub/datasets--ana--notes/refs/main', 'x');
    expect(found()).toEqual([
      ['huggingface', 'gpt2'],
      ['huggingface', 'openai/whisper-tiny'],
    ]);
    const { components } = scanWorld(homesWorld([home], { catalogue }), { detectors: [models] });
    expect(components.map(({ purl }) => purl)).toEqual([
      'pkg:huggingface/gpt2',
      'pkg:huggingface/openai/whisper-tiny',
    ]);
  });

  test('is a single file too; other files beside it are not', () => {
    place(home, 'models/mistral-7b.Q4_K_M.gguf', 'GGUF');
    place(home, 'models/invoice.ts', 'export class Invoice {}');
    expect(found()).toEqual([['gguf', 'mistral-7b.Q4_K_M']]);
  });

  test("of Ollama's own account belongs to the machine", () => {
    const manifest =
      'usr/share/ollama/.ollama/models/manifests/registry.ollama.ai/library/phi4/14b';
    place(home, manifest, '{}');
    expect(found(folderWorld(home, 'linux', { catalogue }))).toEqual([['ollama', 'phi4:14b']]);
    expect(found()).toEqual([]);
  });
});

test('files in folders of their own are models, their pieces and what belongs to them are none', () => {
  const jan = '.local/share/Jan/data/llamacpp/models';
  for (const file of [
    `${jan}/gemma-3-4b/model.gguf`,
    `${jan}/gemma-3-4b/mmproj.gguf`,
    'models/qwen/Qwen3-Q4_K_M-00001-of-00003.gguf',
    'models/qwen/Qwen3-Q4_K_M-00002-of-00003.gguf',
    'models/qwen/Qwen3-Q4_K_M-00003-of-00003.gguf',
    'models/phi.gguf',
    'models/deep/deeper/none.gguf',
  ])
    place(home, file, 'GGUF');
  expect(found()).toEqual([
    ['gguf', 'phi'],
    ['gguf', 'Qwen3-Q4_K_M-00001-of-00003'],
    ['jan', 'gemma-3-4b'],
  ]);
});
