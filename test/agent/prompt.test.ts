/** Who is told what, in which language, how often; and that what is shown never becomes a command. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createNotifier, type Command, type Notifier } from '../../agent/employee/notify.js';
import { createPrompter, findingsOf, mustTell, type Finding } from '../../agent/employee/prompt.js';
import {
  languageFor,
  promptLine,
  promptText,
  type PromptFacts,
} from '../../agent/employee/texts.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { parsePolicy } from '../../policies/document.js';
import type { Verdict } from '../../policies/evaluate.js';
import { makeComponent, makeFolder } from './store-fixture.js';

const verdict = (change: Partial<Verdict> = {}): Verdict => ({
  status: 'violation',
  policy: 'ai-tools',
  rule: 'ban',
  severity: 'high',
  announce: null,
  effective: Date.UTC(2026, 6, 9, 16),
  daysLeft: -3,
  action: 'block',
  effectiveAction: 'notify',
  replacement: { tool: 'qoder', guide: 'https://example.com/migrate' },
  ...change,
});

const facts: PromptFacts = {
  toolName: 'Claude Code',
  isInForce: false,
  effective: Date.UTC(2026, 6, 9, 16),
  zone: 'Asia/Shanghai',
  daysLeft: 6,
  replacementName: 'Qoder',
  guide: 'https://example.com/migrate',
  reason: { en: 'Back-door risk.', 'zh-CN': '存在后门风险。' },
  organisation: null,
  contact: null,
};

test.each([
  [{ status: 'pending', effectiveAction: 'notify' }, true],
  [{ status: 'violation', effectiveAction: 'block' }, true],
  [{ status: 'pending', effectiveAction: 'observe' }, false],
  [{ status: 'excepted', effectiveAction: null }, false],
  [{ status: 'review', effectiveAction: null, effective: null }, false],
] as const)('a verdict %j is told: %s', (change, isTold) => {
  expect(mustTell(verdict(change))).toBe(isTold);
});

test('three installs of one tool are one finding, for the person who owns them', () => {
  const judged = ['npm', 'homebrew', 'application'].map((manager) => ({
    component: makeComponent('claude-code', { manager }),
    firstSeen: 0,
    verdict: verdict(),
  }));
  const findings = findingsOf(judged, ['ana', 'ben']);
  expect(findings.map(({ account, tool }) => [account, tool])).toEqual([['ana', 'claude-code']]);
});

test('what belongs to the machine is told to each of its people', () => {
  const component = makeComponent('claude-code', { owner: null });
  const findings = findingsOf([{ component, firstSeen: 0, verdict: verdict() }], ['ana', 'ben']);
  expect(findings.map(({ account }) => account)).toEqual(['ana', 'ben']);
});

test('a notification has no marks of Markdown, as nothing there reads them', () => {
  const reason = { en: '**Back-door** risk: `x`, see [notice](https://example.com/n).' };
  expect(promptText('en', { ...facts, reason }).body).toContain(
    '\nBack-door risk: x, see notice (https://example.com/n).\n',
  );
});

test('the words name the date of the policy’s zone, the days left and the replacement', () => {
  const english = promptText('en', facts);
  expect(english.title).toBe('Claude Code has to go by July 10, 2026');
  expect(english.body.split('\n')).toEqual([
    'Its use will not be allowed from July 10, 2026 on: 6 days left.',
    'Back-door risk.',
    'Use Qoder instead.',
    'How to move: https://example.com/migrate',
  ]);
  const chinese = promptText('zh-CN', { ...facts, isInForce: true });
  expect(chinese.title).toBe('本设备已不允许使用 Claude Code');
  expect(chinese.body).toContain('自 2026年7月10日起不允许使用');
  expect(chinese.body).toContain('存在后门风险。');
  expect(chinese.body).toContain('请改用 Qoder。');
});

test('on one line each language has its own full stop', () => {
  const inForce = { ...facts, isInForce: true, contact: 'it@example.com' };
  expect(promptLine('zh-CN', promptText('zh-CN', inForce))).toBe(
    '本设备已不允许使用 Claude Code。自 2026年7月10日起不允许使用。存在后门风险。请改用 Qoder。' +
      '迁移方法：https://example.com/migrate 咨询：it@example.com',
  );
});

test('control and direction characters of a name do not reach the screen', () => {
  const { title } = promptText('en', { ...facts, toolName: 'a\u001b[2K\u202eb\nc' });
  expect(title).not.toMatch(/[\u001b\u202e]/);
});

test('a person’s own locale decides the language, then the files of the home, then English', () => {
  const home = makeFolder();
  expect(languageFor({ home, env: { LANG: 'zh_CN.UTF-8' } })).toBe('zh-CN');
  expect(languageFor({ home, env: { LC_ALL: 'de_DE.UTF-8', LANG: 'zh_CN.UTF-8' } })).toBe('en');
  fs.writeFileSync(path.join(home, '.dmrc'), '[Desktop]\nLanguage=zh_CN.utf8\n');
  expect(languageFor({ home, env: null })).toBe('zh-CN');
  expect(languageFor({ home, env: { LANG: 'C.UTF-8' } })).toBe('zh-CN');
});

const policyText = `
policy: ai-tools
title: Tools
timezone: Asia/Shanghai
default: { decision: review }
rules:
  - id: ban
    match: { tool: claude-code }
    decision: deny
    severity: high
    effective: 2026-07-10
    before: notify
    after: block
    reason: { en: Because. }
    replacement: { tool: qoder }
`;

function prompterOn(notifier: Notifier) {
  const parsed = parsePolicy(policyText);
  if (parsed.kind !== 'policy') throw new Error(JSON.stringify(parsed.problems));
  const shown = new Set<string>();
  const log = { shown: 0, notShown: [] as string[], lines: [] as string[] };
  let now = 0;
  const prompter = createPrompter(
    {
      notifier,
      recipients: () => [{ account: 'ana', uid: 1000, home: '/home/ana', isCurrent: true }],
      wasShown: ({ key, rule }) => shown.has(key + rule),
      onShown: ({ key, rule }) => {
        shown.add(key + rule);
        log.shown += 1;
      },
      onNotShown: (_, why) => log.notShown.push(why),
      onLine: (_, line) => log.lines.push(line),
      organisation: null,
      contact: null,
      env: { LANG: 'en_US.UTF-8' },
    },
    () => now,
  );
  const offer = async (change: Partial<Verdict> = {}): Promise<void> => {
    const component = makeComponent('claude-code');
    const findings: readonly Finding[] = findingsOf(
      [{ component, firstSeen: 0, verdict: verdict(change) }],
      ['ana'],
    );
    prompter.offer(findings, parsed.policy, {
      catalogue: builtInCatalogue(),
      deviceZone: 'Asia/Shanghai',
    });
    await prompter.idle();
    now += 120_000;
  };
  return { offer, log };
}

test('a finding is told once per rule, however often it is offered', async () => {
  const { offer, log } = prompterOn({ show: () => Promise.resolve({ kind: 'shown' }) });
  for (let n = 0; n < 3; n += 1) await offer();
  expect(log).toEqual({
    shown: 1,
    notShown: [],
    lines: [
      'Claude Code is no longer allowed on this device. ' +
        'Its use has not been allowed since July 10, 2026. Because. ' +
        'Use Qoder IDE instead. How to move: https://example.com/migrate',
    ],
  });
  await offer({ rule: 'second-ban' });
  expect(log.shown).toBe(2);
});

test('what could not be shown does not count, and is tried until it is', async () => {
  const answers = ['no-session', 'no-session', null];
  const { offer, log } = prompterOn({
    show: () => {
      const why = answers.shift() ?? null;
      return Promise.resolve(why === null ? { kind: 'shown' } : { kind: 'not-shown', why });
    },
  });
  for (let n = 0; n < 4; n += 1) await offer();
  expect(log).toMatchObject({ shown: 1, notShown: ['no-session', 'no-session'] });
  expect(log.lines).toHaveLength(1);
});

const text = { title: '"; rm -rf ~ #', body: '$(touch x) & <b>bold</b>' };
const ana = { account: 'ana', uid: 1000, home: '/home/ana', isCurrent: true };

function notifierOn(change: {
  platform?: NodeJS.Platform;
  isPrivileged?: boolean;
  buses?: readonly string[];
  env?: Record<string, string>;
  ends?: Readonly<Record<string, 'done' | 'failed' | 'missing'>>;
}) {
  const ran: Command[] = [];
  const notifier = createNotifier({
    platform: change.platform ?? 'linux',
    env: change.env ?? {},
    isPrivileged: change.isPrivileged ?? false,
    groupOf: () => 100,
    exists: (file) => (change.buses ?? ['/run/user/1000/bus']).includes(file),
    run: (command) => {
      ran.push(command);
      return Promise.resolve(change.ends?.[path.basename(command.file)] ?? 'done');
    },
  });
  return { notifier, ran };
}

test('on Linux the text is an argument as it is, and the body is no markup', async () => {
  const { notifier, ran } = notifierOn({});
  expect(await notifier.show(ana, text)).toEqual({ kind: 'shown' });
  expect(ran).toHaveLength(1);
  expect(ran[0]?.file).toBe('notify-send');
  expect(ran[0]?.args.slice(-3)).toEqual([
    '--',
    '"; rm -rf ~ #',
    '$(touch x) &amp; &lt;b&gt;bold&lt;/b&gt;',
  ]);
  expect(ran[0]?.env['DBUS_SESSION_BUS_ADDRESS']).toBe('unix:path=/run/user/1000/bus');
});

test('without notify-send the session bus is asked directly', async () => {
  const { notifier, ran } = notifierOn({ ends: { 'notify-send': 'missing', busctl: 'missing' } });
  expect(await notifier.show(ana, text)).toEqual({ kind: 'shown' });
  expect(ran.map(({ file }) => file)).toEqual(['notify-send', 'busctl', 'gdbus']);
});

test('a service that cannot be reached, no session and no program are not shown', async () => {
  const failing = notifierOn({ ends: { 'notify-send': 'failed' } });
  expect(await failing.notifier.show(ana, text)).toEqual({
    kind: 'not-shown',
    why: 'service-unreachable',
  });
  expect(failing.ran).toHaveLength(1);
  const away = notifierOn({ buses: [] });
  expect(await away.notifier.show(ana, text)).toEqual({ kind: 'not-shown', why: 'no-session' });
  expect(away.ran).toEqual([]);
});

test('root speaks to a person as that person; nobody else speaks for another', async () => {
  const other = { ...ana, isCurrent: false };
  const root = notifierOn({
    isPrivileged: true,
    env: { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/0/bus' },
  });
  expect(await root.notifier.show(other, text)).toEqual({ kind: 'shown' });
  expect(root.ran[0]).toMatchObject({ uid: 1000, gid: 100 });
  expect(root.ran[0]?.env['DBUS_SESSION_BUS_ADDRESS']).toBe('unix:path=/run/user/1000/bus');
  const user = notifierOn({});
  expect(await user.notifier.show(other, text)).toEqual({ kind: 'not-shown', why: 'other-user' });
});

test('on macOS and Windows the script is constant and the text comes beside it', async () => {
  const mac = notifierOn({ platform: 'darwin' });
  await mac.notifier.show(ana, text);
  const script = mac.ran[0]?.args.slice(0, -3).join(' ') ?? '';
  expect(script).not.toContain('rm -rf');
  expect(mac.ran[0]?.args.slice(-2)).toEqual([text.title, text.body]);
  const windows = notifierOn({ platform: 'win32' });
  await windows.notifier.show(ana, text);
  const encoded = Buffer.from(windows.ran[0]?.args.at(-1) ?? '', 'base64').toString('utf16le');
  expect(encoded).toContain('$env:CURFEW_TITLE');
  expect(encoded).not.toContain('rm -rf');
  expect(windows.ran[0]?.env['CURFEW_TITLE']).toBe(text.title);
});
