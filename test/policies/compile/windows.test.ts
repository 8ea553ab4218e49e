/** AppLocker and App Control: Windows paths in each product's words, audit first, and what is allowed always. */
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../../policies/catalogue.js';
import { appcontrol } from '../../../policies/compile/appcontrol.js';
import { applocker } from '../../../policies/compile/applocker.js';
import type { Compiled, Target } from '../../../policies/compile/index.js';
import { compiled, policyOf } from './policies.js';
import { textOf } from './readers.js';
import { elementsOf, hostileTexts, readXml, type ReadElement } from './reading.js';

const head = 'policy: p\ntitle: P\ntimezone: utc\n';
const ban = (match: string, before = ''): string =>
  `${head}default: { decision: review }
rules:
${before}  - { id: ban, match: ${match}, decision: deny, effective: 2026-07-10, after: block, reason: { en: No. } }
`;
const root = (result: Compiled, name: string): Promise<ReadElement> =>
  readXml(textOf(result, name) ?? '');

/** Attributes of an element and of all below it. */
const attributesOf = (element: ReadElement | undefined): unknown[] =>
  element === undefined
    ? []
    : [[...element.attributes], ...element.children.flatMap((child) => attributesOf(child))];

function enforced(target: Target, yaml: string, isAllowList = false): Compiled {
  return target.compile({
    policy: policyOf(yaml),
    catalogue: builtInCatalogue(),
    ...{ at: Date.parse('2026-08-01'), zone: 'UTC', isAllowList, isEnforced: true },
  });
}

/** Paths by collection and action. */
async function pathsOf(result: Compiled, action: string): Promise<Record<string, string[]>> {
  const collections = elementsOf(await root(result, 'policy.xml'), 'RuleCollection');
  return Object.fromEntries(
    collections.map((one) => [
      one.attributes.get('Type') ?? '',
      elementsOf(one, 'FilePathRule')
        .filter((rule) => rule.attributes.get('Action') === action)
        .map((rule) => elementsOf(rule, 'FilePathCondition')[0]?.attributes.get('Path') ?? ''),
    ]),
  );
}

describe('AppLocker', () => {
  test('writes places with its own variables, and launchers as scripts', async () => {
    const paths = await pathsOf(compiled(applocker, ban('{ tool: [cursor, gemini-cli] }')), 'Deny');
    expect(paths['Exe']).toEqual([
      '%OSDRIVE%\\Users\\*\\AppData\\Local\\Programs\\Cursor\\Cursor.exe',
      '%PROGRAMFILES%\\Cursor\\Cursor.exe',
    ]);
    expect(paths['Script']).toEqual([
      '%OSDRIVE%\\Users\\*\\AppData\\Roaming\\npm\\gemini.cmd',
      '%OSDRIVE%\\Users\\*\\AppData\\Roaming\\npm\\gemini.ps1',
    ]);
  });

  test('never denies a place that an approved tool may have', async () => {
    // Both have a claude.exe below a home; only the places tell them apart.
    const approved = '  - { id: ok, match: { tool: claude-desktop }, decision: approve }\n';
    const { Exe: paths = [] } = await pathsOf(
      compiled(applocker, ban('{ tool: claude-code }', approved)),
      'Deny',
    );
    expect(paths).toContain('%OSDRIVE%\\Users\\*\\.local\\bin\\claude.exe');
    expect(paths.filter((path) => path.includes('AnthropicClaude'))).toEqual([]);
  });

  test.each(hostileTexts)('the reason %j is described as it is, on one line', async (text) => {
    const yaml = ban('{ tool: cursor }').replace('en: No.', `en: ${JSON.stringify(text)}`);
    const rules = elementsOf(await root(compiled(applocker, yaml), 'policy.xml'), 'FilePathRule');
    const said = rules.map((rule) => rule.attributes.get('Description'));
    expect(new Set(said)).toEqual(new Set(['', `Not approved. ${text.replace(/\s+/g, ' ')}`]));
  });

  test('the collections for the CSP are those of the policy', async () => {
    const result = compiled(applocker, ban('{ tool: claude-code }'));
    const whole = elementsOf(await root(result, 'policy.xml'), 'RuleCollection');
    for (const [at, name] of ['csp-exe.xml', 'csp-script.xml'].entries()) {
      const alone = await root(result, name);
      expect(attributesOf(alone)).toEqual(attributesOf(whole[at]));
    }
  });

  test('is audited until it is enforced', async () => {
    const yaml = ban('{ tool: claude-code }');
    const modes = async (result: Compiled): Promise<unknown[]> =>
      elementsOf(await root(result, 'policy.xml'), 'RuleCollection').map((one) =>
        one.attributes.get('EnforcementMode'),
      );
    expect(await modes(compiled(applocker, yaml))).toEqual(['AuditOnly', 'AuditOnly']);
    expect(await modes(enforced(applocker, yaml))).toEqual(['Enabled', 'Enabled']);
  });

  test('a whole path of a policy is written, a folder or a pattern never', async () => {
    const yaml = (path: string): string => ban(`{ path: '${path}' }`);
    const paths = await pathsOf(compiled(applocker, yaml('C:/Tools/x.exe')), 'Deny');
    expect(paths).toEqual({ Exe: ['%OSDRIVE%\\Tools\\x.exe'], Script: [] });
    for (const path of ['C:/Tools/**', 'C:/Tools/*.exe', 'C:/Tools/']) {
      const result = compiled(applocker, yaml(path));
      expect(await pathsOf(result, 'Deny'), path).toEqual({ Exe: [], Script: [] });
      expect(result.notExpressible.map(({ rule, tool }) => [rule, tool])).toEqual([['ban', null]]);
    }
  });

  const only = (tool: string): string =>
    `${head}default: { decision: deny, effective: 2026-07-10, after: block }
rules:
  - { id: ok, match: { tool: ${tool} }, decision: approve }
`;

  test('an allow-list keeps Windows, installed programs and administrators', async () => {
    const result = enforced(applocker, only('cursor'), true);
    const allowed = await pathsOf(result, 'Allow');
    for (const paths of Object.values(allowed)) {
      expect(paths).toEqual(expect.arrayContaining(['%WINDIR%\\*', '%PROGRAMFILES%\\*', '*']));
    }
    expect(allowed['Exe']).toContain(
      '%OSDRIVE%\\Users\\*\\AppData\\Local\\Programs\\Cursor\\Cursor.exe',
    );
    const everything = elementsOf(await root(result, 'policy.xml'), 'FilePathRule').filter(
      (rule) => elementsOf(rule, 'FilePathCondition')[0]?.attributes.get('Path') === '*',
    );
    expect(everything.map((rule) => rule.attributes.get('UserOrGroupSid'))).toEqual([
      'S-1-5-32-544',
      'S-1-5-32-544',
    ]);
  });

  test('an allow-list lets be what is allowed in some versions, and launchers of packages', async () => {
    const yaml = only('qoder-cli').replace(
      'rules:\n',
      "rules:\n  - { id: fixed, match: { tool: claude-code, version: '>=2.1.198' }, decision: allow }\n",
    );
    const allowed = await pathsOf(enforced(applocker, yaml, true), 'Allow');
    expect(allowed['Exe']).toContain('%OSDRIVE%\\Users\\*\\.local\\bin\\claude.exe');
    expect(allowed['Script']).toEqual(
      expect.arrayContaining([
        '%OSDRIVE%\\Users\\*\\AppData\\Roaming\\npm\\claude.cmd',
        '%OSDRIVE%\\Users\\*\\AppData\\Roaming\\npm\\qodercli.cmd',
      ]),
    );
  });

  test('an allow-list stays in audit while an approved tool has no place', async () => {
    const result = enforced(applocker, only('[cursor, gemini-cli]'), true);
    expect(textOf(result, 'policy.xml')).not.toContain('EnforcementMode="Enabled"');
    expect(result.warnings.join('\n')).toContain('gemini-cli is let be');
  });
});

describe('App Control', () => {
  test('writes what one star at an end of a path can say, and tells of the rest', async () => {
    const result = compiled(appcontrol, ban('{ tool: [cursor, claude-code] }'));
    const denied = elementsOf(await root(result, 'policy.xml'), 'Deny');
    expect(denied.map((rule) => rule.attributes.get('FilePath'))).toEqual([
      '%OSDRIVE%\\Program Files\\Cursor\\Cursor.exe',
      '*\\.claude\\local\\node_modules\\@anthropic-ai\\claude-code\\bin\\claude.exe',
      '*\\.local\\bin\\claude.exe',
      '*\\AppData\\Local\\Programs\\Cursor\\Cursor.exe',
    ]);
    const told = result.notExpressible.filter(({ tool }) => tool === 'claude-code');
    expect(told.map(({ reason }) => reason).join('\n')).toContain('carries a version');
  });

  test('is audited until it is enforced', async () => {
    const yaml = ban('{ tool: cursor }');
    const options = async (result: Compiled): Promise<string[]> =>
      elementsOf(await root(result, 'policy.xml'), 'Option').map(({ text }) => text);
    const audited = await options(compiled(appcontrol, yaml));
    expect(audited).toContain('Enabled:Audit Mode');
    expect(await options(enforced(appcontrol, yaml))).toEqual(
      audited.filter((one) => one !== 'Enabled:Audit Mode'),
    );
  });

  test('a policy keeps its id, whatever it denies, and another policy has another', async () => {
    const idOf = async (yaml: string): Promise<string | undefined> =>
      elementsOf(await root(compiled(appcontrol, yaml), 'policy.xml'), 'PolicyID')[0]?.text;
    const one = await idOf(ban('{ tool: cursor }'));
    expect(await idOf(ban('{ tool: claude-code }'))).toBe(one);
    expect(await idOf(ban('{ tool: cursor }').replace('policy: p', 'policy: q'))).not.toBe(one);
  });
});
