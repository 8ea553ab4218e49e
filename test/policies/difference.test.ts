/** The difference in words: each sentence here is what an admin should read of that very change. */
import { describe, expect, test } from 'vitest';
import { difference } from '../../policies/difference.js';
import { parsePolicy, type Policy } from '../../policies/document.js';

function policyOf(yaml: string): Policy {
  const parsed = parsePolicy(yaml);
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

const base = `policy: tools
title: AI tools
timezone: Asia/Shanghai
default: { decision: review }
rules:
  - id: qoder-approved
    match: { tool: [qoder, qoder-cli] }
    decision: approve
  - id: claude-code-ban
    match: { tool: claude-code }
    decision: deny
    announce: 2026-07-04
    effective: 2026-07-10
    after: block
    reason: { en: Back-door risk. }
    evidence: [https://example.com/notice]
    replacement: { tool: qoder, guide: https://example.com/migrate }
targets: { groups: [engineering] }
`;

const told = (
  before: readonly string[],
  after: readonly string[],
  language: 'en' | 'zh-CN' = 'en',
) => difference(before.map(policyOf), after.map(policyOf)).map(({ words }) => words[language]);

const edited = (...replacements: readonly (readonly [string, string])[]): string =>
  replacements.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the text has no ${from}`);
    return text.replace(from, to);
  }, base);

describe('the difference of a policy', () => {
  test.each<[string, [string, string], string[], string[]]>([
    [
      'a denial that begins earlier',
      ['effective: 2026-07-10', 'effective: 2026-07-06'],
      [
        'rule claude-code-ban: in force 4 days earlier, from 2026-07-10 to 2026-07-06 (Asia/Shanghai)',
      ],
      ['规则 claude-code-ban: 生效提前 4 天，从 2026-07-10 改为 2026-07-06（Asia/Shanghai）'],
    ],
    [
      'a denial that begins later the same day',
      ['effective: 2026-07-10', 'effective: 2026-07-10T09:30:00+08:00'],
      [
        'rule claude-code-ban: in force 9 h 30 min later, from 2026-07-10 to 2026-07-10T09:30:00+08:00',
      ],
      [
        '规则 claude-code-ban：生效推迟 9 小时 30 分钟，从 2026-07-10 改为 2026-07-10T09:30:00+08:00',
      ],
    ],
    [
      'the zone in which the same days begin',
      ['timezone: Asia/Shanghai', 'timezone: device-local'],
      [
        'timezone changed: from Asia/Shanghai to device-local',
        'rule claude-code-ban: in force at another moment: 2026-07-10 (each device’s own zone), no longer 2026-07-10 (Asia/Shanghai)',
        'rule claude-code-ban: prompts begin at another moment: 2026-07-04 (each device’s own zone), no longer 2026-07-04 (Asia/Shanghai)',
      ],
      [],
    ],
    [
      'prompts that begin at once',
      ['    announce: 2026-07-04\n', ''],
      ['rule claude-code-ban: prompts begin at once, no longer 2026-07-04 (Asia/Shanghai)'],
      [],
    ],
    [
      'a stronger action',
      ['after: block', 'after: remove'],
      ['rule claude-code-ban: once in force remove, no longer block'],
      ['规则 claude-code-ban：生效后的动作改为 remove，原为 block'],
    ],
    [
      'a grace and a later action',
      [
        'after: block',
        'after: notify\n    grace: 3 days\n    escalate: { after: 7 days, action: block }',
      ],
      [
        'rule claude-code-ban: once in force notify, no longer block',
        'rule claude-code-ban: grace 3 days, no longer none',
        'rule claude-code-ban: later action block +7 days, no longer none',
      ],
      [],
    ],
    [
      'a reason in other words, and one more language',
      ['{ en: Back-door risk. }', '{ en: A back door., zh-CN: 后门。 }'],
      [
        'rule claude-code-ban: reason reworded in en',
        'rule claude-code-ban: reason now also in zh-CN',
      ],
      ['规则 claude-code-ban：理由的 en 文字有变', '规则 claude-code-ban：理由新增语言 zh-CN'],
    ],
    [
      'another replacement without a guide',
      ['{ tool: qoder, guide: https://example.com/migrate }', '{ tool: qoder-cli }'],
      [
        'rule claude-code-ban: replacement qoder-cli, no longer qoder',
        'rule claude-code-ban: no migration guide any more',
      ],
      [],
    ],
    [
      'tools that a rule takes and leaves',
      ['[qoder, qoder-cli]', '[qoder, cursor]'],
      ['rule qoder-approved: tool now also cursor, no longer qoder-cli'],
      ['规则 qoder-approved：工具 新增 cursor，去掉 qoder-cli'],
    ],
    [
      'a range of versions',
      ['{ tool: claude-code }', "{ tool: claude-code, version: '>=2.1.91 <=2.1.197' }"],
      ['rule claude-code-ban: now only version >=2.1.91 <=2.1.197'],
      [],
    ],
    [
      'another decision',
      ['decision: approve', 'decision: review'],
      ['rule qoder-approved: now to be reviewed, no longer approved'],
      ['规则 qoder-approved：现为待审查，不再是批准'],
    ],
    [
      'another default',
      ['default: { decision: review }', 'default: { decision: allow }'],
      ['AI tools that no rule names: now allowed, no longer to be reviewed'],
      ['没有规则提及的 AI 工具：现为允许，不再是待审查'],
    ],
    [
      'a default that denies',
      ['{ decision: review }', '{ decision: deny, effective: 2026-08-01, after: block }'],
      [
        'AI tools that no rule names: now denied from 2026-08-01 (Asia/Shanghai), notify before, block from then on, no longer to be reviewed',
      ],
      [],
    ],
    [
      'other devices',
      ['groups: [engineering]', 'groups: [engineering, research], os: linux, percent: 10'],
      [
        'devices changed: from group engineering to group engineering or research, system linux, 10 % of the devices',
      ],
      [],
    ],
    [
      'what is reported',
      ['targets:', 'report: { model: count }\ntargets:'],
      ['reports of local models changed: from off to count'],
      ['本地模型的上报有变：从off改为count'],
    ],
  ])('tells %s', (_, change, english, chinese) => {
    const after = edited(change);
    expect(told([base], [after])).toEqual(english);
    const inChinese = told([base], [after], 'zh-CN');
    expect(inChinese).toHaveLength(english.length);
    if (chinese.length > 0)
      expect(inChinese).toEqual(chinese.map((text) => text.replace(': ', '：')));
  });

  test('tells a new rule with what it does, and one that went with what it said', () => {
    const rule = `  - id: no-cursor
    match: { tool: cursor, channel: [application] }
    decision: deny
    effective: 2026-09-01
    after: notify
    reason: { en: None. }
`;
    const more = base.replace('targets:', `${rule}targets:`);
    expect(told([base], [more])).toEqual([
      'new rule no-cursor: tool cursor, channel application: denied from 2026-09-01 (Asia/Shanghai), notify before, notify from then on',
    ]);
    expect(told([more], [base])).toEqual([
      'rule no-cursor removed; it said: tool cursor, channel application: denied from 2026-09-01 (Asia/Shanghai), notify before, notify from then on',
    ]);
  });

  test('tells that a rule passed another, and what follows from it', () => {
    const policy = policyOf(base);
    const [first, second] = policy.rules;
    if (first === undefined || second === undefined) throw new Error('two rules are there');
    const changes = difference([policy], [{ ...policy, rules: [second, first] }]);
    expect(changes.map(({ words }) => words)).toEqual([
      {
        en: 'order changed: claude-code-ban now comes before qoder-approved, so what both match is denied, no longer approved',
        'zh-CN':
          '顺序有变：claude-code-ban 现在排在 qoder-approved 之前，两者都匹配的内容现为禁用，不再是批准',
      },
    ]);
  });

  test('is none for other comments, layout and spelling of the same lists', () => {
    const other = `# a comment\n${edited(['tool: claude-code }', 'tool: [claude-code] }'])}`;
    expect(told([base], [other])).toEqual([]);
  });
});

describe('the difference of several policies', () => {
  const second = base
    .replace('policy: tools', 'policy: second')
    .replace('title: AI', 'title: More AI');

  test('tells a new policy with its rules and its devices', () => {
    expect(told([base], [base, second])).toEqual([
      'new policy second: More AI tools; for group engineering',
      'new rule qoder-approved: tool qoder or qoder-cli: approved; it comes before claude-code-ban',
      'new rule claude-code-ban: tool claude-code: denied from 2026-07-10 (Asia/Shanghai), notify before, block from then on',
      'AI tools that no rule names: to be reviewed',
    ]);
  });

  test('tells one that went and which now comes first', () => {
    expect(told([base, second], [base])).toEqual(['policy second removed: More AI tools']);
    expect(told([base, second], [second, base])).toEqual([
      'order changed: policy second now comes before tools, so devices that both include follow second',
    ]);
  });
});
