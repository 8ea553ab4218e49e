/** The example of docs/admin/policy-plan.md: its fleet is written here, its output is what a plan prints. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { targets } from '../../policies/compile/index.js';
import { addException } from '../../server/exceptions.js';
import { readOrMakeKeys } from '../../server/keys.js';
import { planText } from '../../server/plan-text.js';
import { makePlan } from '../../server/planning.js';
import { noChange } from '../../server/policy-change.js';
import type { Store } from '../../server/store/index.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { addMember, type FleetMember } from './plan-fleet.js';
import { planAndPublish } from './publishing.js';

const page = readFileSync(
  path.resolve(import.meta.dirname, '../../docs/admin/policy-plan.md'),
  'utf8',
);
/** The page's blocks of a language, in order. */
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  );

const now = Date.parse('2026-07-03T08:00:00Z');
const claude = { tool: 'claude-code', version: '2.1.100' } as const;
const cursor = { tool: 'cursor', version: '1.7.2' } as const;
const fleet: readonly FleetMember[] = [
  { id: 'd01', has: [claude] },
  {
    id: 'd02',
    has: [
      { ...claude, owner: 'ana' },
      { ...claude, owner: 'ben' },
    ],
  },
  {
    id: 'd03',
    has: [
      { ...claude, owner: 'kim' },
      { tool: 'qoder', owner: 'kim' },
    ],
  },
  { id: 'd04', has: [{ tool: 'qoder' }, cursor] },
  { id: 'd05', zone: 'Europe/Berlin', has: [claude, cursor] },
  { id: 'd06', zone: 'Europe/Berlin', has: [cursor] },
  { id: 'd07', zone: 'Europe/Berlin', has: [], isPartial: true },
  { id: 'd08', has: null },
];

let folder: string;
let store: Store;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-plan-docs-'));
  store = openSqliteStore(path.join(folder, 'server.db'));
  for (const member of fleet) await addMember(store, member);
  const catalogue = builtInCatalogue();
  const request = {
    ...{ tool: 'claude-code', person: null, device: 'd01', hardwareId: null, from: null },
    ...{ reason: 'a release', author: 'ana', until: '2026-07-08', zone: 'Asia/Shanghai' },
  };
  await addException({ store, catalogue, now }, request, 'ana');
  const keys = await readOrMakeKeys(folder);
  const [yaml = ''] = blocks('yaml');
  const published = await planAndPublish({ store, keys, catalogue, now }, { yaml, author: 'ana' });
  expect(published).toMatchObject({ kind: 'published', sequence: 1 });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

test('the output on the page is what the plan of its second policy prints', async () => {
  const [, yaml = ''] = blocks('yaml');
  const planner = {
    ...{ store, catalogue: builtInCatalogue(), now },
    targets: targets.filter(({ id }) => id === 'santa'),
  };
  const change = { ...noChange, texts: [yaml] };
  const answer = await makePlan(planner, { change, at: ['2026-07-08'], author: 'ana' });
  if (answer.kind === 'invalid') throw new Error(JSON.stringify(answer.problems));
  const text = planText(answer.plan, 'en');
  expect(blocks('text')[0]?.trimEnd()).toBe(text);
});
