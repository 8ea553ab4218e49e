/**
 * The whole path with real processes: a policy is published, an agent is connected, a denied package
 * is placed and turns up in the API as a violation, is removed and the device is clear again.
 */
import { mkdirSync, rmSync, renameSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { npmLauncher } from '../worlds/native.js';
import { examplePolicy, makeFleet, until, type Api, type Fleet } from './machines.js';

let fleet: Fleet;
let api: Api;
let home: string;
let prefix: string;
const denied = { name: '@anthropic-ai/claude-code', version: '2.1.150', command: 'claude' };

beforeAll(async () => {
  fleet = await makeFleet();
  home = path.join(fleet.folder, 'home', 'ana');
  prefix = path.join(home, '.nvm', 'versions', 'node', 'v22.22.0');
  mkdirSync(path.join(prefix, 'lib', 'node_modules'), { recursive: true });
  await fleet.startServer();
  fleet.publish(examplePolicy);
  fleet.enrol('ws-1');
  fleet.startAgent('ws-1', home);
  api = await fleet.signIn();
});
afterAll(() => fleet.close());

const state = async (): Promise<string | null> => (await api.devices()).devices[0]?.state ?? null;

describe('the whole path', () => {
  test('an agent without denied tools is clear after its first scan', async () => {
    await until(async () => ((await state()) === 'clear' ? true : null), 15_000, 'clear');
    const { total, states } = await api.compliance();
    expect(total).toBe(1);
    expect(states.clear).toBe(1);
  });

  test(
    'a denied package that is installed is a violation in the API, and gone with it',
    { timeout: 100_000 },
    async () => {
      npmLauncher(prefix, denied);
      const finding = await until(
        async () =>
          (await api.findings()).findings.find((one) => one.verdict === 'violation') ?? null,
        5_000,
        'the violation',
      );
      expect(finding.tool).toBe('claude-code');
      expect(finding.replacement).toBe('qoder');
      // The first instant of 2026-07-10 in Asia/Shanghai.
      expect(new Date(finding.effective ?? 0).toISOString()).toBe('2026-07-09T16:00:00.000Z');
      expect(finding.components.map((one) => [one.channel, one.version, one.path])).toEqual([
        [
          'npm',
          '2.1.150',
          '~/.nvm/versions/node/v22.22.0/lib/node_modules/@anthropic-ai/claude-code',
        ],
      ]);
      expect(await state()).toBe('violation');

      // npm renames the old folder aside before the new one is there: never shown as a removal.
      const scope = path.join(prefix, 'lib', 'node_modules', '@anthropic-ai');
      renameSync(path.join(scope, 'claude-code'), path.join(scope, '.claude-code-2DTsDk1V'));
      const beginning = Date.now();
      while (Date.now() - beginning < 5_000) {
        expect(await state()).toBe('violation');
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      rmSync(path.join(scope, '.claude-code-2DTsDk1V'), { recursive: true });
      rmSync(path.join(prefix, 'bin', 'claude'));
      const removedAt = Date.now();
      await until(async () => ((await state()) === 'clear' ? true : null), 60_000, 'clear again');
      expect(Date.now() - removedAt).toBeLessThan(60_000);
      // The folder aside was a trace of its own, and goes by the same second look.
      const none = async () => ((await api.findings()).total === 0 ? true : null);
      await until(none, 60_000, 'no finding');
      const [device] = (await api.devices()).devices;
      const { history } = await api.device(device?.id ?? '');
      const ofTool = history
        .filter((entry) => entry.tool === 'claude-code')
        .map(({ at, kind }) => ({ at: Date.parse(at), kind }));
      const appeared = ofTool.filter(({ kind }) => kind === 'appeared').map(({ at }) => at);
      const removed = ofTool.filter(({ kind }) => kind === 'removed').map(({ at }) => at);
      expect([appeared.length, removed.length]).toEqual([2, 2]);
      expect(Math.min(...removed)).toBeGreaterThan(Math.max(...appeared));
    },
  );
});
