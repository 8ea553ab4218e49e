/** Lint of exceptions: each list with exactly what must be said of it, in the forms in which lists come. */
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { lintPolicy } from '../../policies/lint-advice.js';
import { lintExceptions } from '../../policies/lint-exceptions.js';

const catalogue = builtInCatalogue();
const now = Date.parse('2026-06-01T00:00:00Z');

describe('exceptions', () => {
  const policy = (rules: string) =>
    lintPolicy(
      `policy: p\ntitle: T\ntimezone: utc\ndefault: { decision: allow }\nrules:\n${rules}`,
      { catalogue, now },
    ).policy;
  const ban = policy(
    '- { id: a, match: { vendor: Anthropic }, decision: deny, effective: 2026-07-10, after: block, reason: { en: x } }',
  );
  const said = (text: string) =>
    lintExceptions(text, { policies: ban === null ? [] : [ban], catalogue, now }).map(
      ({ check, line, field, message }) => [check, line, field, message],
    );

  test('that have ended, match nothing, name nobody or an unknown tool', () => {
    const list = `- { id: e1, tool: claude-code, person: ana, reason: x, author: kim, until: 2026-06-01T00:00:00Z }
- { id: e2, tool: claude-code, device: d1, until: 2026-06-01T00:00:01Z }
- { id: e3, tool: qoder, person: ana, until: 2027-01-01T00:00:00+08:00 }
- { tool: claude-code, until: 2027-01-01T00:00:00Z }
- { id: e5, tool: claud-code, hardwareId: h, until: 2027-01-01T00:00:00Z }
- { id: e6, tool: claude-code, person: ana, until: 2027-01-01 }
`;
    expect(said(list)).toEqual([
      [
        'exception-ended',
        1,
        '[0].until',
        'exception e1 ended at 2026-06-01T00:00:00Z; it stops by itself and may be removed',
      ],
      [
        'exception-idle',
        3,
        '[2].tool',
        'exception e3 matches nothing: no policy here denies qoder',
      ],
      [
        'exception-nobody',
        4,
        '[3]',
        'exception 4 names no person, device or hardware id, so it holds for nobody',
      ],
      [
        'exception-tool',
        5,
        '[4].tool',
        'exception e5: the catalogue has no tool "claud-code"; did you mean "claude-code"?',
      ],
      [
        'document',
        6,
        '[5].until',
        '2027-01-01 is a day; write an instant with offset, like 2027-01-01T00:00:00Z',
      ],
    ]);
  });

  test('that never hold, or begin at no instant', () => {
    const list = `- { id: e1, tool: claude-code, person: ana, from: 2027-02-01T00:00:00Z, until: 2027-02-01T01:00:00+01:00 }
- { id: e2, tool: claude-code, person: ana, from: 2027-02-01T00:00:00Z, until: 2027-02-01T00:00:01Z }
- { id: e3, tool: claude-code, person: ana, from: 2027-02-01, until: 2027-03-01T00:00:00Z }
`;
    expect(said(list).map(([check, line, field]) => [check, line, field])).toEqual([
      ['exception-never', 1, '[0].from'],
      ['document', 3, '[2].from'],
    ]);
  });

  test('for a tool that is denied only in a state, a scope or a setting do match', () => {
    const rules = `
- { id: a, match: { tool: goose }, decision: allow }
- { id: b, match: { tool: goose, scope: project }, decision: deny, effective: 2026-07-10, after: block, reason: { en: x } }
- { id: c, match: { tool: opencode, running: false }, decision: approve }
- { id: d, match: { tool: opencode }, decision: deny, effective: 2026-07-10, after: block, reason: { en: x } }
- { id: e, match: { tool: aider, gateway: vendor }, decision: approve }
- { id: f, match: { tool: aider }, decision: deny, effective: 2026-07-10, after: block, reason: { en: x } }
- { id: g, match: { tool: crush, state: [installed, running] }, decision: approve }
- { id: h, match: { vendor: Charmbracelet, running: true }, decision: deny, effective: 2026-07-10, after: block, reason: { en: x } }`;
    const one = policy(rules);
    const list = ['goose', 'opencode', 'aider', 'crush'].map(
      (tool) => `- { tool: ${tool}, person: ana, until: 2027-01-01T00:00:00Z }\n`,
    );
    const policies = one === null ? [] : [one];
    const found = lintExceptions(list.join(''), { policies, catalogue, now });
    expect([policies.length, found.map(({ check, line }) => [check, line])]).toEqual([
      1,
      [['exception-idle', 4]],
    ]);
  });

  test('as the server lists them, a line each, and as an assignment has them', () => {
    const row = { id: 'e1', tool: 'claude-code', person: 'ana', device: null, hardwareId: null };
    const rows = [
      { ...row, until: '2027-01-01T00:00:00.000Z', from: null, endedAt: null, holds: true },
      {
        ...row,
        until: '2027-01-01T00:00:00.000Z',
        from: null,
        endedAt: '2026-05-01T00:00:00.000Z',
      },
    ];
    const ended = 'exception e1 was ended at 2026-05-01T00:00:00.000Z';
    const lines = rows.map((one) => `${JSON.stringify(one)}\n`).join('');
    expect(said(lines)).toEqual([['exception-ended', 2, '[1].until', ended]]);
    expect(said(JSON.stringify({ device: 'd', exceptions: rows }))).toEqual([
      ['exception-ended', 1, 'exceptions[1].until', ended],
    ]);
    const [first] = lintExceptions(lines, { policies: [], catalogue, now });
    expect(lines.slice((first?.column ?? 0) - 1).startsWith('"claude-code"')).toBe(true);
  });

  test('that are no list, or lack a field', () => {
    expect(said('tool: x')[0]?.[3]).toBe('expected a list; found a mapping');
    expect(said('- { person: ana, until: 2027-01-01T00:00:00Z }')[0]?.[3]).toBe(
      'missing field "tool"',
    );
    expect(said('- [')[0]?.[3]).toContain('not YAML');
  });
});
