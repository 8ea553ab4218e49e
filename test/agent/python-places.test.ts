/**
 * Where Python environments lie besides the usual places: what variables, settings of conda and other
 * managers of tools name, on each system.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { python } from '../../agent/detect/python.js';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import { place } from '../worlds/native.js';
import * as made from '../worlds/python.js';

const catalogue = builtInCatalogue();
let top = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-python-places-')));
  fs.mkdirSync(path.join(top, 'home/ana'), { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

function rows(platform: Platform): unknown[] {
  const result = scanWorld(folderWorld(top, platform, { catalogue }), { detectors: [python] });
  expect(result.status).toBe('complete');
  return result.components.map(({ name, version, state, manager, owner }) => {
    return [name, version, state, manager, String(owner)].join(' ');
  });
}

describe('an environment', () => {
  test.each([
    ['.bashrc', 'export MAMBA_ROOT_PREFIX=~/mm\n', 'mm/envs/a', 'conda'],
    ['.bashrc', 'export MAMBA_ROOT_PREFIX=~/mm\n', 'mm', 'conda'],
    ['.zshenv', 'export PIXI_HOME=$HOME/px\n', 'px/envs/aider', 'pixi'],
    ['.zshenv', 'export UV_PYTHON_INSTALL_DIR=$HOME/up\n', 'up/cpython-3.12', 'uv-python'],
    ['.zshenv', 'export CONDA_ENVS_PATH=$HOME/ce\n', 'ce/a', 'conda'],
    ['.condarc', 'channels:\n  - conda-forge\nenvs_dirs:\n  - ~/py/envs\n', 'py/envs/a', 'conda'],
    ['.config/conda/.condarc', "envs_dirs:\n- '/home/ana/e'\nssl_verify: true\n", 'e/a', 'conda'],
    ['.profile', '', '.micromamba/envs/a', 'conda'],
  ])('that %s names is found: %j', (file, text, folder, manager) => {
    place(top, `home/ana/${file}`, text);
    made.environment(path.join(top, 'home/ana', folder), made.aider('0.86.1'));
    expect(rows('linux')).toEqual([`aider-chat 0.86.1 installed ${manager} ana`]);
  });

  test('of a folder of somebody else that settings name is left alone', () => {
    place(top, 'home/ana/.condarc', 'envs_dirs:\n  - /home/ben/envs\n');
    made.environment(path.join(top, 'home/ben/envs/a'), made.aider('0.86.1'));
    expect(rows('linux')).toEqual([]);
  });

  test.each([
    'usr/local/Caskroom/miniforge/base',
    'opt/homebrew/miniconda3',
    'usr/local/anaconda3/envs/x',
  ])("of conda from Homebrew's cask belongs to the machine: %s", (folder) => {
    made.environment(path.join(top, folder), made.aider('0.86.1'));
    expect(rows('darwin')).toEqual(['aider-chat 0.86.1 installed conda null']);
  });

  test.each([
    ['tools/miniconda3', 'null'],
    ['ProgramData/Anaconda3/envs/x', 'null'],
    ['Users/ana/AppData/Local/miniforge3', 'ana'],
    ['Users/ana/Miniconda3/envs/x', 'ana'],
  ])('of conda on Windows: %s', (folder, owner) => {
    made.wheelInto(path.join(top, folder, 'Lib/site-packages'), made.aider('0.86.1'));
    place(top, `${folder}/python.exe`, 'MZ');
    place(top, 'Users/ana/AppData/x', '');
    expect(rows('win32')).toEqual([`aider-chat 0.86.1 installed conda ${owner}`]);
  });
});

describe('a tool that mise had made', () => {
  const at = 'home/ana/.local/share/mise/installs/pipx-aider-chat/0.86.1';

  test('by uv is the tool, and what it depends on is not', () => {
    const folder = path.join(top, at, 'aider-chat');
    made.environment(folder, made.aider('0.86.1'), made.litellm('1.80.0'));
    place(folder, 'uv-receipt.toml', '[tool]\nrequirements = [{ name = "aider-chat" }]\n');
    fs.symlinkSync('0.86.1', path.join(path.dirname(path.join(top, at)), 'latest'));
    expect(rows('linux')).toEqual(['aider-chat 0.86.1 installed mise ana']);
  });

  test('by pipx is the tool', () => {
    const folder = path.join(top, at, 'venvs/aider-chat');
    made.environment(folder, made.aider('0.86.1'));
    const record = { main_package: { package: 'aider-chat', package_version: '0.86.1' } };
    place(folder, 'pipx_metadata.json', JSON.stringify(record));
    expect(rows('linux')).toEqual(['aider-chat 0.86.1 installed mise ana']);
  });
});
