/**
 * What the policy has reported, seen in the messages that wait to be sent: each choice for each kind,
 * what a rule decides over it, and a change of mind. Names that must not leave are searched for in all
 * that would.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { toReported } from '../../agent/report/messages.js';
import { openOutbox, type Outbox } from '../../agent/report/outbox.js';
import { reportChanges, type ReportInput } from '../../agent/report/reporter.js';
import { inForce, judge } from '../../agent/rules.js';
import { openStore, type Store } from '../../agent/store.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import type { ReportBody } from '../../wire/messages.js';
import { parseBody } from '../../wire/parse.js';
import { makeComponent, makeFolder } from './store-fixture.js';

const now = Date.UTC(2026, 6, 10);
const kinds = ['mcp', 'model', 'service', 'candidate'] as const;
type Kind = (typeof kinds)[number];
type Choice = 'off' | 'count' | 'report';

/** Two of each kind, with a name that is found nowhere else. */
const finds: readonly Component[] = [
  ...['zebra-mcp-1', 'zebra-mcp-2'].map((name) =>
    makeComponent(name, {
      tool: null,
      channel: 'mcp',
      purl: `pkg:npm/${name}-package@1.4.0`,
      path: '/home/ana/.cursor/mcp.json',
      evidence: ['command npx', 'env ZEBRA_KEY', 'host zebra.example.test', 'mcpServers'],
    }),
  ),
  ...['zebra-model-1', 'zebra-model-2'].map((name) =>
    makeComponent(name, { tool: null, channel: 'model', purl: null }),
  ),
  ...['zebra-service-1', 'zebra-service-2'].map((name) =>
    makeComponent(name, { tool: 'openclaw', channel: 'service', state: 'residual', purl: null }),
  ),
  ...['zebra-candidate-1', 'zebra-candidate-2'].map((name) =>
    makeComponent(name, { tool: null, candidate: ['speaks-acp', 'depends-on-model-sdk'] }),
  ),
];
const tool = makeComponent('claude-code');

let store: Store;
let outbox: Outbox;
beforeEach(() => {
  store = openStore(makeFolder());
  outbox = openOutbox({ store, now: () => now });
  return () => store.close();
});

/** What is reported of components under a policy; null: no policy has come. */
function input(components: readonly Component[], policy: string | null): ReportInput {
  const parts = [
    'policy: p\ntitle: T',
    ...(policy?.includes('default:') === true ? [] : ['default: { decision: review }']),
    ...(policy?.includes('rules:') === true ? [] : ['rules: []']),
    policy ?? '',
  ];
  const bundle = {
    format: 1 as const,
    server: 'server',
    sequence: 1,
    issuedAt: '2026-07-01T00:00:00Z',
    policies: [{ priority: 0, yaml: parts.join('\n') }],
    catalogue: { sha256: '0'.repeat(64) },
    assignmentKeys: [],
    nextPolicyKey: null,
  };
  const device = {
    id: 'device-1',
    hardwareId: null,
    platform: 'linux',
    zone: 'UTC',
    maxAction: 'notify',
    assignedUser: null,
    group: null,
  } as const;
  const documents = { bundle: policy === null ? null : bundle, assignment: null };
  const rules = inForce({ ...documents, catalogue: builtInCatalogue() }, device);
  expect(rules.unreadable).toBe(0);
  const stored = components.map((component) => ({ component, firstSeen: now, lastSeen: now }));
  const { judged } = judge(stored, rules, {
    device,
    homes: new Map([['ana', '/home/ana']]),
    now,
  });
  const homes = new Map([['ana', ['/home/ana']]]);
  return { ...rules, judged, homes, now, lastFull: now };
}

/** The bodies that a round adds to the outbox, as the server will read them. */
function said(components: readonly Component[], policy: string | null): readonly ReportBody[] {
  const before = new Map(outbox.streams().map(({ stream, lastSeq }) => [stream, lastSeq]));
  reportChanges({ store, outbox }, input(components, policy));
  return outbox.pending(before, 100).map(({ body }) => {
    const parsed = parseBody(body);
    if (parsed.kind !== 'value') throw new Error(`${parsed.path} ${parsed.message}`);
    return parsed.value;
  });
}
const choose = (kind: Kind, choice: Choice): string => `report: { ${kind}: ${choice} }`;
const everywhere = (choice: Choice): string =>
  `report: { ${kinds.map((kind) => `${kind}: ${choice}`).join(', ')} }`;
const namesIn = (bodies: readonly ReportBody[]): readonly string[] =>
  bodies.flatMap((body) =>
    (body.kind === 'snapshot' ? body.components : body.kind === 'changes' ? body.present : []).map(
      ({ name }) => name,
    ),
  );
/** The counts of the person's own report; the machine has nothing of these kinds. */
const countsIn = (bodies: readonly ReportBody[]) =>
  bodies.map((body) => ('counts' in body ? body.counts : undefined)).at(-1);

describe.each(kinds)('of kind %s', (kind) => {
  test('off: neither name nor number leaves', () => {
    const bodies = said([...finds, tool], choose(kind, 'off'));
    expect(JSON.stringify(bodies)).not.toContain(`zebra-${kind}`);
    expect(JSON.stringify(bodies)).not.toMatch(/ZEBRA|zebra\.example/);
    expect(countsIn(bodies)).toEqual({});
    expect(namesIn(bodies)).toContain('claude-code');
  });

  test('count: a number leaves and no name', () => {
    const bodies = said([...finds, tool], choose(kind, 'count'));
    expect(JSON.stringify(bodies)).not.toContain(`zebra-${kind}`);
    expect(countsIn(bodies)).toEqual({ [kind]: 2 });
  });

  test('report: the components leave, and are not counted beside', () => {
    const bodies = said([...finds, tool], choose(kind, 'report'));
    expect(namesIn(bodies)).toEqual(
      expect.arrayContaining([`zebra-${kind}-1`, `zebra-${kind}-2`, 'claude-code']),
    );
    expect(countsIn(bodies)).toEqual({});
  });
});

test('where the policy says nothing its defaults hold', () => {
  const bodies = said(finds, '');
  expect(namesIn(bodies)).toEqual(['zebra-mcp-1', 'zebra-mcp-2']);
  expect(countsIn(bodies)).toEqual({});
  expect(JSON.stringify(bodies)).not.toMatch(/ZEBRA|zebra\.example|-(model|service|candidate)-/);
});

test('as long as no policy has come nothing of the four kinds leaves', () => {
  const bodies = said([...finds, tool], null);
  expect(namesIn(bodies)).toEqual(['claude-code']);
  expect(JSON.stringify(bodies)).not.toContain('zebra');
  expect(countsIn(bodies)).toEqual({});
});

test('the number of zero is told too: the policy counts, and there is none', () => {
  expect(countsIn(said([tool], everywhere('count')))).toEqual({
    mcp: 0,
    model: 0,
    service: 0,
    candidate: 0,
  });
});

test('a candidate leaves with its reasons, in one order and each once', () => {
  const odd = ['speaks-acp', 'depends-on-model-sdk', 'speaks-acp', 'of-tomorrow'];
  const candidate = { candidate: odd } as unknown as Partial<Component>;
  const guess = makeComponent('zebra-candidate-1', { tool: null, ...candidate });
  const [, body] = said([guess], choose('candidate', 'report'));
  expect(body).toMatchObject({
    components: [{ candidateReasons: ['depends-on-model-sdk', 'speaks-acp'] }],
  });
});

describe('what a rule decides', () => {
  const allow = (match: string): string =>
    `${everywhere('off')}\nrules:\n  - { id: r, match: ${match}, decision: allow }`;

  test.each([
    ['mcp', '{ package: { mcp: zebra-mcp-1 } }'],
    ['model', '{ package: { model: zebra-model-1 } }'],
    ['service', '{ package: { service: zebra-service-1 }, state: residual }'],
    ['candidate', '{ package: { npm: zebra-candidate-1 } }'],
  ])('is told of kind %s though the policy says off, and nothing else of it', (kind, match) => {
    expect(namesIn(said(finds, allow(match)))).toEqual([`zebra-${kind}-1`]);
  });

  test('is not counted as well', () => {
    const counting = allow('{ package: { model: zebra-model-1 } }').replaceAll(': off', ': count');
    const bodies = said(finds, counting);
    expect(namesIn(bodies)).toEqual(['zebra-model-1']);
    expect(countsIn(bodies)).toEqual({ mcp: 2, model: 1, service: 2, candidate: 2 });
  });

  test('a default that denies is no rule', () => {
    const server = makeComponent('zebra-mcp-1', { tool: 'openclaw', channel: 'mcp' });
    const denying = `default: { decision: deny, effective: 2026-07-01T00:00:00Z, after: block }\n${everywhere('off')}`;
    expect(input([server], denying).judged).toMatchObject([
      { verdict: { status: 'violation', rule: 'default' } },
    ]);
    expect(namesIn(said([server], denying))).toEqual([]);
  });
});

test('software that a rule only made the scan look at stays on the device', () => {
  const other = (name: string, publisher: string | null): Component =>
    makeComponent(name, { tool: null, channel: 'browser-extension', publisher });
  const rule = `{ id: r, match: { channel: browser-extension, publisher: Zebra }, decision: review }`;
  const extensions = [other('zebra-tabs', 'Zebra'), other('private-hobby', 'Hobby')];
  expect(namesIn(said(extensions, `rules:\n  - ${rule}`))).toEqual(['zebra-tabs']);
});

test('a package that rules name is told in any state', () => {
  const copy = makeComponent('named', { tool: null, scope: 'project', purl: 'pkg:npm/named@1' });
  const rule = '{ id: r, match: { package: { npm: named } }, decision: review }';
  expect(namesIn(said([copy], `rules:\n  - ${rule}`))).toEqual(['named']);
});

describe('a change of mind', () => {
  test('to less is a snapshot without what is no longer told, and never a removal', () => {
    said([...finds, tool], everywhere('report'));
    const bodies = said([...finds, tool], everywhere('count'));
    expect(bodies.map(({ kind }) => kind)).toEqual(['changes', 'snapshot']);
    expect(namesIn(bodies)).toEqual(['claude-code']);
    expect(countsIn(bodies)).toEqual({ mcp: 2, model: 2, service: 2, candidate: 2 });
    const off = said([...finds, tool], everywhere('off'));
    expect(off.map(({ kind }) => kind)).toEqual(['changes', 'changes']);
    expect(countsIn(off)).toEqual({});
    expect(JSON.stringify([...bodies, ...off])).not.toContain('zebra-');
    expect(said([...finds, tool], everywhere('off'))).toEqual([]);
  });

  test('to more tells what was there all along', () => {
    said([...finds, tool], everywhere('off'));
    const bodies = said([...finds, tool], choose('model', 'report'));
    expect(bodies.map(({ kind }) => kind)).toContain('changes');
    expect(namesIn(bodies)).toEqual(
      expect.arrayContaining(['zebra-model-1', 'zebra-model-2', 'zebra-mcp-1']),
    );
  });

  test('a rule that no longer decides takes its component back the same way', () => {
    const named = `rules:\n  - { id: r, match: { package: { model: zebra-model-1 } }, decision: deny, effective: 2026-07-01T00:00:00Z, after: notify, reason: { en: No. } }`;
    expect(namesIn(said(finds, named))).toContain('zebra-model-1');
    const [body] = said(finds, '').filter(({ kind }) => kind === 'snapshot');
    expect(JSON.stringify(body)).not.toContain('zebra-model');
  });

  test('what is really gone is a removal, by its id alone', () => {
    said([...finds, tool], everywhere('report'));
    const gone = finds[2]?.id ?? '';
    const rest = [...finds, tool].filter(({ id }) => id !== gone);
    expect(said(rest, everywhere('report'))).toMatchObject([
      { kind: 'changes', present: [], removed: [gone] },
    ]);
  });

  test('one more of a kind that is counted is news, and the same number is none', () => {
    said(finds, everywhere('count'));
    expect(said(finds, everywhere('count'))).toEqual([]);
    const more = [...finds, makeComponent('zebra-model-3', { tool: null, channel: 'model' })];
    const bodies = said(more, everywhere('count'));
    expect(bodies).toMatchObject([{ kind: 'changes', present: [], removed: [] }]);
    expect(countsIn(bodies)).toEqual({ mcp: 2, model: 3, service: 2, candidate: 2 });
  });
});

test('each part of a long snapshot carries the counts of the whole', () => {
  const many = Array.from({ length: 1001 }, (_, n) => makeComponent(`tool-${n}`));
  const parts = said([...finds, ...many], everywhere('count')).slice(1);
  expect(parts).toHaveLength(3);
  for (const part of parts) {
    expect(part).toMatchObject({ counts: { mcp: 2, model: 2, service: 2, candidate: 2 } });
  }
});

test('whatever a disk says, the server takes what is made of it', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ minLength: 300, maxLength: 600 }),
  );
  const component = fc.record({
    name: text,
    version: fc.option(text),
    path: text,
    gateway: fc.option(fc.oneof(text, fc.domain(), fc.webUrl())),
    candidate: fc.array(fc.constantFrom('speaks-acp', 'of-tomorrow')),
    evidence: fc.array(text, { maxLength: 20 }),
  });
  const scan = {
    status: 'complete',
    at: new Date(now).toISOString(),
    lastComplete: null,
    roots: 1,
    notRead: [],
  };
  fc.assert(
    fc.property(component, (change) => {
      const odd = makeComponent('x', { ...(change as Partial<Component>), tool: null });
      const [one] = input([odd], everywhere('report')).judged;
      if (one === undefined) throw new Error('nothing was judged');
      const components = [toReported(one, ['/home/ana'])];
      const body = {
        kind: 'changes',
        at: scan.at,
        present: components,
        removed: [],
        counts: {},
        scan,
        bundleSequence: 1,
      };
      expect(parseBody(JSON.stringify(body))).toMatchObject({ kind: 'value' });
    }),
    { seed: 5, numRuns: 300 },
  );
});

test.each([
  ['llm.example.com', 'llm.example.com'],
  ['[2001:db8::1]', '[2001:db8::1]'],
  [null, null],
  [undefined, undefined],
  ['', undefined],
  ['user:zebra-secret@llm.example.com', undefined],
  ['llm.example.com:8443', undefined],
  ['https://llm.example.com/zebra-secret', undefined],
  ['llm.example.com\nzebra', undefined],
  ['x'.repeat(254), undefined],
])('the gateway %j leaves as %j', (gateway, leaves) => {
  const [first] = input(
    [makeComponent('claude-code', gateway === undefined ? {} : { gateway })],
    '',
  ).judged;
  if (first === undefined) throw new Error('nothing was judged');
  const reported = toReported(first, ['/home/ana']);
  expect(reported.gateway).toBe(leaves);
  expect(JSON.stringify(reported)).not.toContain('zebra');
});
