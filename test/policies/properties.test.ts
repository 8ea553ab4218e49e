/**
 * What no policy, component or instant may break, tried on made-up ones from a fixed seed.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { componentStates, scopes } from '../../policies/component.js';
import { evaluate, verdictStatuses } from '../../policies/evaluate.js';
import { catalogue, component, device, exception, policyOf, withRules } from './subjects.js';
import { runs } from '../runs.js';

describe('no policy breaks these', () => {
  const range = fc.constantFrom(null, '<2.0.0', '*', '>=2.1.91 <=2.1.197');
  const rule = fc.record({
    match: fc.constantFrom(
      'tool: claude-code',
      'vendor: Anthropic',
      'channel: npm',
      'kind: coding-agent',
      'provider: openai',
      'package: { npm: "@anthropic-ai/claude-code" }',
    ),
    range,
    decision: fc.constantFrom('approve', 'allow', 'review', 'deny'),
    day: fc.integer({ min: 1, max: 28 }),
    after: fc.constantFrom('observe', 'notify', 'block', 'remove'),
  });
  const policies = fc.array(rule, { maxLength: 5 }).map((rules) => {
    const written = rules.map(({ match, range: version, decision, day, after }, at) => {
      const denial = `, effective: 2026-07-${String(day).padStart(2, '0')}, after: ${after}, reason: { en: No. }`;
      return `\n  - { id: r${at}, match: { ${match}${version === null ? '' : `, version: "${version}"`} }, decision: ${decision}${decision === 'deny' ? denial : ''} }`;
    });
    return policyOf(withRules(written.length === 0 ? '  []' : written.join('')));
  });
  const components = fc
    .record({
      tool: fc.constantFrom('claude-code', 'opencode', 'qoder', null),
      version: fc.constantFrom('1.0.0', '2.1.100', '2.0.0-rc.1', null),
      state: fc.constantFrom(...componentStates),
      scope: fc.constantFrom(...scopes),
    })
    .map((rest) => component(rest));
  const instants = fc.integer({
    min: Date.parse('2026-06-25T00:00:00Z'),
    max: Date.parse('2026-08-05T00:00:00Z'),
  });
  const options = runs(150);
  const input = (
    policy: ReturnType<typeof policyOf>,
    one: ReturnType<typeof component>,
    now: number,
  ) => ({
    policy,
    catalogue,
    exceptions: [],
    component: one,
    device: device(),
    now,
  });

  test('time only moves pending to violation', () => {
    fc.assert(
      fc.property(policies, components, instants, instants, (policy, one, first, second) => {
        const [early, late] = [Math.min(first, second), Math.max(first, second)];
        const before = evaluate(input(policy, one, early)).verdict;
        const after = evaluate(input(policy, one, late)).verdict;
        expect(after.rule).toBe(before.rule);
        if (before.status === 'pending') expect(['pending', 'violation']).toContain(after.status);
        else expect(after.status).toBe(before.status);
      }),
      options,
    );
  });

  test('the order in which components are judged never matters, nor what was judged before', () => {
    const asked = fc.array(fc.tuple(components, instants), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(policies, asked, fc.integer(), (policy, list, salt) => {
        const verdict = ([one, now]: (typeof list)[number]) =>
          evaluate(input(policy, one, now)).verdict;
        const order = list.map((one, at) => ({ one, key: Math.sin(salt + at) }));
        const first = new Map(list.map((one) => [one, verdict(one)]));
        for (const { one } of order.sort((left, right) => left.key - right.key)) {
          expect(verdict(one)).toEqual(first.get(one));
        }
        // A policy that nothing was judged by yet.
        const fresh = structuredClone(policy);
        for (const [one, now] of list) {
          const alone = evaluate(input(fresh, one, now)).verdict;
          expect(alone).toEqual(verdict([one, now]));
        }
      }),
      options,
    );
  });

  test('an exception never makes a verdict worse', () => {
    const exceptions = fc.array(
      fc.record({
        tool: fc.constantFrom('claude-code', 'opencode', 'qoder'),
        person: fc.constantFrom('ana@device-1', 'ben@device-1'),
        until: instants,
      }),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(policies, components, instants, exceptions, (policy, one, now, some) => {
        const without = evaluate(input(policy, one, now)).verdict.status;
        const list = some.map((rest, at) => exception({ id: `e${at}`, ...rest }));
        const status = evaluate({ ...input(policy, one, now), exceptions: list }).verdict.status;
        expect(verdictStatuses.indexOf(status)).toBeGreaterThanOrEqual(
          verdictStatuses.indexOf(without),
        );
      }),
      options,
    );
  });

  test('the trace ends with what decided, and the ceiling holds', () => {
    fc.assert(
      fc.property(policies, components, instants, (policy, one, now) => {
        const { verdict, trace } = evaluate({
          ...input(policy, one, now),
          device: device({ maxAction: 'notify' }),
        });
        expect(trace.at(-1)?.rule).toBe(verdict.rule);
        expect(trace.filter(({ matched }) => matched).length).toBeLessThanOrEqual(1);
        expect([null, 'observe', 'notify']).toContain(verdict.effectiveAction);
      }),
      options,
    );
  });
});
