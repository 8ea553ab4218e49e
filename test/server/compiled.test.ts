/** The route that gives a live policy in another enforcer's words. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CompiledPolicy } from '../../server/routes-compiled.js';
import type { ProblemJson } from '../../server/views.js';
import { noon, startServer, type Running } from './fixture.js';
import { banPolicy } from './policies.js';
import { planAndPublish } from './publishing.js';

let running: Running;
beforeEach(async () => {
  running = await startServer();
  const { store, keys, catalogue } = running.server.context;
  await planAndPublish(
    { store, keys, catalogue, now: noon },
    { yaml: banPolicy('2026-07-10'), author: 'ana' },
  );
});
afterEach(async () => {
  await running.stop();
  running.remove();
});

const compiled = async (route: string): Promise<CompiledPolicy> =>
  (await (
    await running.get(`/policies/ai-coding-tools/compiled/${route}`)
  ).json()) as CompiledPolicy;
const rulesOf = ({ files }: CompiledPolicy): string | undefined =>
  files.find(({ name }) => name === 'fapolicyd/38-curfew.rules')?.text;

test('the live policy is given as it is in force now, or at an instant', async () => {
  // The day before the ban.
  const now = await compiled('fapolicyd');
  expect([now.at, now.notExpressible]).toEqual([new Date(noon).toISOString(), []]);
  expect(rulesOf(now)).not.toContain('deny_');
  expect(now.warnings.join('\n')).toContain('2026-07-09T16:00:00.000Z');
  const later = await compiled('fapolicyd?at=2026-07-09T16:00:00Z');
  expect(rulesOf(later)).toContain('deny_syslog perm=execute all : path=/usr/bin/claude\n');
  expect(later.notExpressible.map(({ rule, tool }) => [rule, tool])).toContainEqual([
    'claude-code-ban',
    'claude-code',
  ]);
});

test.each([
  ['/policies/ai-coding-tools/compiled/santaa', 'there is no target santaa'],
  ['/policies/other/compiled/santa', 'no policy other is live'],
])('%s is not found', async (route, said) => {
  const response = await running.get(route);
  const problem = (await response.json()) as ProblemJson;
  expect([response.status, problem.code]).toEqual([404, 'NOT_FOUND']);
  expect(JSON.stringify(problem)).toContain(said);
});

test('nobody sees it without a session', async () => {
  const route = `${running.url}/api/v1/policies/ai-coding-tools/compiled/santa`;
  expect((await fetch(route)).status).toBe(401);
});
