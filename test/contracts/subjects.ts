/**
 * What each detector is held with: one honest install per channel as its installer leaves it, and the
 * one file that its detector cannot do without. The contract itself is in `detectors.test.ts`.
 */
import path from 'node:path';
import { channelDetectors, type Detector } from '../../agent/detect/index.js';
import type { ComponentState, Platform } from '../../policies/component.js';
import { bundle } from '../worlds/applications.js';
import { formula } from '../worlds/homebrew.js';
import { chromeFolder, claudeExtension, preference, writePreferences } from '../worlds/browsers.js';
import { claudePlugin, pluginsFolder, unpackPlugin } from '../worlds/jetbrains.js';
import { scoop } from '../worlds/packages.js';
import { aider, pipx } from '../worlds/python.js';
import { installed } from '../worlds/editors.js';
import { claudeNative, place } from '../worlds/native.js';
import * as made from '../worlds/npm.js';

/** An honest install per channel, and the one file its detector cannot do without. */
export interface Subject {
  readonly detector: Detector;
  /** Puts the install into the home; answers the folder of its root. */
  readonly install: (at: string) => string;
  /** The file that the detector reads, below that folder; null: it reads names and links alone. */
  readonly record: string | null;
  /** What such a find is where it is no install. */
  readonly state?: ComponentState;
  /** Set where that file is no JSON, so that other JSON and comments say nothing about it. */
  readonly isJson?: false;
  /** Set where such installs are found on another platform than the one the tests run on. */
  readonly platform?: Platform;
}

const extension = { id: 'anthropic.claude-code', version: '2.1.120' };
const cursor = { id: 'com.todesktop.230313mzl4w4u92', version: '3.12.10' };
const subjects: Readonly<Record<string, Omit<Subject, 'detector'>>> = {
  model: {
    install(at) {
      place(at, '.ollama/models/manifests/registry.ollama.ai/library/llama3.2/3b', '{}');
      return path.join(at, '.ollama/models/manifests');
    },
    record: null,
  },
  service: {
    install(at) {
      place(at, '.config/systemd/user/openclaw-gateway.service', '[Unit]');
      return path.join(at, '.config/systemd/user');
    },
    record: null,
    state: 'residual',
    platform: 'linux',
  },
  config: {
    install(at) {
      place(at, '.factory/AGENTS.md', '# notes');
      return path.join(at, '.factory');
    },
    record: null,
    state: 'residual',
  },
  mcp: {
    install(at) {
      const tickets = { command: 'npx', args: ['-y', '@example/tickets-server@1.4.0'] };
      place(at, '.cursor/mcp.json', JSON.stringify({ mcpServers: { tickets } }));
      return path.join(at, '.cursor');
    },
    record: 'mcp.json',
  },
  npm: {
    install(at) {
      made.npmGlobal(path.join(at, '.npm-global'), made.codex('0.48.0'));
      return path.join(at, '.npm-global/lib/node_modules');
    },
    record: '@openai/codex/package.json',
  },
  'editor-extension': {
    install(at) {
      installed(path.join(at, '.vscode/extensions'), extension);
      return path.join(at, '.vscode/extensions');
    },
    record: 'extensions.json',
  },
  pypi: {
    install(at) {
      pipx(at, aider('0.86.1'));
      return path.join(at, '.local/share/pipx/venvs');
    },
    record: 'aider-chat/lib/python3.12/site-packages/aider_chat-0.86.1.dist-info/METADATA',
    isJson: false,
  },
  application: {
    install(at) {
      bundle(path.join(at, 'Applications'), 'Cursor', cursor);
      return path.join(at, 'Applications');
    },
    record: 'Cursor.app/Contents/Info.plist',
    isJson: false,
    platform: 'darwin',
  },
  package: {
    install(at) {
      scoop(at, { name: 'claude-code', version: '2.1.120' }, { command: 'claude' });
      return path.join(at, 'scoop/apps');
    },
    record: 'claude-code/current/manifest.json',
    platform: 'win32',
  },
  // Its record lies in an archive, which has tests of its own.
  'jetbrains-plugin': {
    install(at) {
      unpackPlugin(path.join(at, pluginsFolder.linux('WebStorm2025.2')), claudePlugin);
      return path.join(at, '.local/share/JetBrains');
    },
    record: null,
  },
  homebrew: {
    install(at) {
      formula(path.join(at, '.linuxbrew'), { name: 'aider', version: '0.86.1' });
      return path.join(at, '.linuxbrew/Cellar');
    },
    record: null,
  },
  // The preferences alone: beside the extension's own folder they would not be all there is to read.
  'browser-extension': {
    install(at) {
      const chrome = path.join(at, chromeFolder.linux);
      writePreferences(path.join(chrome, 'Default'), [preference(claudeExtension)]);
      return chrome;
    },
    record: 'Default/Preferences',
  },
  executable: {
    install(at) {
      claudeNative(at, ['2.1.120'], '2.1.120');
      return path.join(at, '.local/bin');
    },
    record: null,
  },
};

/** Processes are no place on the disk: that detector is held by tests of its own. */
export const held: readonly (Subject & { readonly name: string })[] = channelDetectors
  .filter(({ channel }) => channel !== 'process')
  .map((detector) => {
    const subject = subjects[detector.channel];
    if (subject === undefined) {
      throw new Error(`the contract has no subject for the detector of ${detector.channel}`);
    }
    return { ...subject, detector, name: detector.channel };
  });
