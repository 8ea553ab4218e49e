/** The extension policy of Chrome, Edge and Firefox, read back from each of its forms. */
import { describe, expect, test } from 'vitest';
import { browserTargets } from '../../../policies/compile/browsers.js';
import type { Compiled } from '../../../policies/compile/index.js';
import { compiled } from './policies.js';
import { jsonOf, payloadOf, registryOf, textOf } from './readers.js';

const target = (id: string) => {
  const found = browserTargets.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no target ${id}`);
  return found;
};
const claude = 'fcoeoabgfenejglbffodgkkbkcdhcgfn';
const addOn = '{b764208e-0a98-436d-a599-c1baa044f829}';

const policy = (rules: string): string => `
policy: p
title: A policy
timezone: utc
default: { decision: review }
rules:
${rules}`;
const ban = (match: string, after = 'block', more = ''): string => `  - id: ban
    match: ${match}
    decision: deny
    effective: 2026-07-10
    after: ${after}
    reason: { zh-CN: "不可使用 \\"x\\"。", en: "Not here \\\\ there." }
${more}`;
const both = ban(`{ package: { browser-extension: [${claude}, "${addOn}"] } }`);

type Settings = Readonly<Record<string, Readonly<Record<string, string>>>>;
function settingsOf(result: Compiled, id: string): Settings {
  const read = jsonOf(result, id === 'firefox' ? 'policies.json' : `${id}/curfew.json`) as {
    policies?: { ExtensionSettings: Settings };
    ExtensionSettings: Settings;
  };
  return (read.policies ?? read).ExtensionSettings;
}

describe.each([
  ['chrome', claude, 'com.google.Chrome', 'Google\\Chrome'],
  ['edge', claude, 'com.microsoft.Edge', 'Microsoft\\Edge'],
  ['firefox', addOn, 'org.mozilla.firefox', 'Mozilla\\Firefox'],
] as const)('%s', (id, extension, domain, key) => {
  const result = compiled(target(id), policy(both));

  test('the denied id alone is blocked, with the reason in each language', () => {
    const settings = settingsOf(result, id);
    expect(Object.keys(settings)).toEqual([extension]);
    expect(settings[extension]).toEqual({
      installation_mode: 'blocked',
      blocked_install_message: 'Not here \\ there. / 不可使用 "x"。',
    });
  });

  test('profile and registry hold the same', () => {
    const settings = settingsOf(result, id);
    const payload = payloadOf(result, 'curfew.mobileconfig');
    expect(payload['PayloadType']).toBe(domain);
    expect(payload['ExtensionSettings']).toEqual(settings);
    expect(payload['EnterprisePoliciesEnabled']).toBe(id === 'firefox' ? true : undefined);
    const keys = registryOf(textOf(result, 'curfew.reg') ?? '');
    const value = keys[`HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\${key}`]?.['ExtensionSettings'];
    expect(JSON.parse(value ?? '')).toEqual(settings);
  });

  test('the star is blocked for an allow-list with something in it, and for nothing else', () => {
    const ok = `  - { id: ok, match: { package: { browser-extension: "${extension}" } }, decision: approve }\n`;
    const others = ban('{ vendor: Anthropic }');
    const plain = compiled(target(id), policy(ok + others));
    expect(JSON.stringify(plain.files)).not.toContain('"*');
    const list = settingsOf(compiled(target(id), policy(ok + others), { isAllowList: true }), id);
    expect(list['*']).toEqual({ installation_mode: 'blocked' });
    expect(list[extension]).toEqual({ installation_mode: 'allowed' });
    const empty = compiled(target(id), policy(others), { isAllowList: true });
    expect(JSON.stringify(empty.files)).not.toContain('"*');
    expect(empty.warnings.join()).toContain('would block all of them');
  });

  test('a name that is no id of any browser is listed and never written', () => {
    const odd = compiled(
      target(id),
      policy(ban(`{ package: { browser-extension: ["a b", "${claude}x"] } }`)),
    );
    expect(odd.files).toEqual([]);
    expect(odd.notExpressible.map(({ reason }) => reason.split(':')[0])).toEqual([
      'browserExtension a b',
      `browserExtension ${claude}x`,
    ]);
  });
});

test('to remove is to remove where the browser can', () => {
  const rules = policy(
    ban(`{ package: { browser-extension: [${claude}, "${addOn}"] } }`, 'remove'),
  );
  const mode = (id: string, extension: string): string | undefined =>
    settingsOf(compiled(target(id), rules), id)[extension]?.['installation_mode'];
  expect(mode('chrome', claude)).toBe('removed');
  expect(mode('edge', claude)).toBe('removed');
  expect(mode('firefox', addOn)).toBe('blocked');
});

test('the message shows no signs of Markdown', () => {
  const rules = policy(
    ban(`{ package: { browser-extension: ${claude} } }`).replace(
      /reason: .*/,
      'reason: { en: "It is **banned**: read [the notice](https://example.com/n)." }',
    ),
  );
  const rule = settingsOf(compiled(target('chrome'), rules), 'chrome')[claude];
  expect(rule?.['blocked_install_message']).toMatch(/^It is banned: read the notice\b[^[\]*]*$/);
});

test('the message keeps the guide when the reason is too long for the browser', () => {
  const long = policy(
    `  - id: ban
    match: { package: { browser-extension: ${claude} } }
    decision: deny
    effective: 2026-07-10
    after: block
    reason: { en: "${'long '.repeat(400).trim()}" }
    replacement: { tool: qoder, guide: https://example.com/move }
`,
  );
  const message =
    settingsOf(compiled(target('chrome'), long), 'chrome')[claude]?.['blocked_install_message'] ??
    '';
  expect(message.length).toBeLessThanOrEqual(1000);
  expect(message.endsWith('→ Qoder IDE: https://example.com/move')).toBe(true);
});

test('the older list has the same ids', () => {
  expect(jsonOf(compiled(target('chrome'), policy(both)), 'blocklist.json')).toEqual({
    ExtensionInstallBlocklist: [claude],
  });
});
