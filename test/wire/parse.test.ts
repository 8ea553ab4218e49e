/** The door: what each side lets in, and the path it names when it does not. */
import { describe, expect, test } from 'vitest';
import { maxMessageBytes, fitText, parseBody, parseMessage } from '../../wire/parse.js';

const now = '2026-07-10T04:00:00.000Z';
const verdict = {
  status: 'violation',
  policy: 'ai-coding-tools',
  rule: 'claude-code-ban',
  severity: 'high',
  announce: now,
  effective: now,
  action: 'block',
  effectiveAction: 'notify',
  replacement: 'qoder',
};
const component = {
  id: 'a'.repeat(32),
  tool: 'claude-code',
  channel: 'npm',
  manager: 'nvm',
  purl: 'pkg:npm/%40anthropic-ai/claude-code@2.1.91',
  name: '@anthropic-ai/claude-code',
  version: '2.1.91',
  path: '~/…/node_modules/@anthropic-ai/claude-code',
  owner: 'ana',
  scope: 'global',
  state: 'installed',
  confidence: 'high',
  evidence: ['package.json'],
  firstSeen: now,
  verdict,
};
const changes = {
  kind: 'changes',
  at: now,
  present: [component],
  removed: [],
  scan: { status: 'complete', at: now, lastComplete: now, roots: 4, notRead: [] },
  bundleSequence: 7,
};

describe('a message', () => {
  test('from either side is taken from that side only', () => {
    const ack = '{"type":"ack","stream":"s1","seq":3}';
    expect(parseMessage('from-server', ack)).toEqual({
      kind: 'value',
      value: { type: 'ack', stream: 's1', seq: 3 },
    });
    expect(parseMessage('from-agent', ack)).toEqual({
      kind: 'invalid',
      path: '/type',
      message: 'must be one of hello, get, report',
    });
  });

  test.each([
    ['{"type":"ack","stream":"s1","seq":-1}', '/seq', /0/],
    ['{"type":"ack","stream":"s1","seq":1.5}', '/seq', /integer/],
    ['{"type":"ack","stream":"a b","seq":1}', '/stream', /pattern/],
    ['{"type":"ack","stream":"s1"}', '', /seq/],
    ['{"type":"ack","stream":"s1","seq":1,"__proto__":{"seq":2}}', '', /__proto__/],
    ['{"type":"ack","stream":"s1","seq":1,"more":2}', '/more', /not known/],
    ['{"type":"busy","retryAfterMs":"5"}', '/retryAfterMs', /integer/],
    ['{"type":"toString"}', '/type', /one of/],
    ['{"type":"refused","code":"A","message":"\\u0000"}', '/message', /NUL/],
    ['{"type":"refused","code":"A","message":"\\ud800"}', '/message', /surrogate/],
    ['[]', '/type', /one of/],
    ['null', '', /object/],
    ['', '', /not JSON/],
  ])('%s is refused at "%s"', (text, path, message) => {
    const parsed = parseMessage('from-server', text);
    expect(parsed).toMatchObject({ kind: 'invalid', path });
    expect(parsed.kind === 'invalid' ? parsed.message : '').toMatch(message);
  });

  test('with a time that is no time is refused', () => {
    for (const time of ['2026-02-30T00:00:00Z', 'yesterday', '2026-07-10', '2026-07-10T04:00:00']) {
      const text = JSON.stringify({ ...changes, at: time });
      expect(parseBody(text), time).toMatchObject({ kind: 'invalid', path: '/at' });
    }
  });

  test('that is not UTF-8 is refused', () => {
    const bytes = Buffer.from('{"type":"refused","code":"A","message":"x"}');
    bytes[bytes.indexOf('x')] = 0xff;
    expect(parseMessage('from-server', bytes)).toMatchObject({ message: 'not UTF-8' });
  });

  test('over the bound is refused before it is read, counted in bytes', () => {
    const text = `"${'é'.repeat(maxMessageBytes / 2)}"`;
    expect(parseMessage('from-agent', text)).toMatchObject({
      message: expect.stringContaining('bytes') as string,
    });
  });

  test('nested a hundred thousand deep is refused and does not end the program', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(parseMessage('from-agent', `{"type":"hello","x":${deep}}`)).toMatchObject({
      kind: 'invalid',
    });
  });
});

describe('a report’s body', () => {
  test('of changes is taken as it was written', () => {
    expect(parseBody(JSON.stringify(changes))).toEqual({ kind: 'value', value: changes });
  });

  test('names the field that is wrong, not the union', () => {
    const wrong = {
      ...changes,
      present: [{ ...component, verdict: { ...verdict, status: 'bad' } }],
    };
    expect(parseBody(JSON.stringify(wrong))).toMatchObject({ path: '/present/0/verdict/status' });
    const secret = { ...changes, present: [{ ...component, environment: 'KEY=1' }] };
    expect(parseBody(JSON.stringify(secret))).toMatchObject({ kind: 'invalid' });
  });
});

describe('a text that is made to fit', () => {
  test('loses NUL, half a pair and what is too long, and nothing else', () => {
    expect(fitText('~/工具', 10)).toBe('~/工具');
    expect(fitText('a\0b\ud800', 10)).toBe('a\ufffdb\ufffd');
    expect(fitText('x'.repeat(20), 5)).toBe('xxxx…');
    expect(fitText('xxx😀😀', 5)).toBe('xxx…');
  });
});
