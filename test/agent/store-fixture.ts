/**
 * A store in a temporary folder, and components and readings as a scan would give them. Used by the
 * tests of store, inventory, outbox and loop; it asserts nothing.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createHash } from 'node:crypto';
import type { Component, RootStatus } from '../../policies/component.js';
import type { Home, Reading, Root } from '../../agent/detect/index.js';

export function makeFolder(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-agent-'));
}

export const ana: Home = { account: 'ana', uid: 1000, path: '/home/ana', env: {} };
export const ben: Home = { account: 'ben', uid: 1001, path: '/home/ben', env: {} };

export function makeRoot(id: string, home: Home | null = ana): Root {
  const folder = `/roots/${id}`;
  return {
    id,
    channel: 'npm',
    manager: 'npm',
    path: folder,
    home,
    boundary: { within: [folder] },
    watch: [folder],
  };
}

export function makeComponent(name: string, change: Partial<Component> = {}): Component {
  const owner = change.owner === undefined ? 'ana' : change.owner;
  const folder = `/home/${owner ?? 'none'}/.npm-global/lib/node_modules/${name}`;
  const id = createHash('sha256').update(`${name} ${owner}`).digest('hex').slice(0, 32);
  return {
    id,
    tool: name,
    channel: 'npm',
    manager: 'npm',
    purl: `pkg:npm/${name}@1.0.0`,
    name,
    version: '1.0.0',
    path: folder,
    owner,
    scope: 'global',
    state: 'installed',
    confidence: 'high',
    evidence: ['package.json'],
    ...change,
  };
}

export function reading(
  root: Root,
  components: readonly Component[],
  status: RootStatus = 'complete',
): Reading {
  return { root, status, problems: [], components };
}
