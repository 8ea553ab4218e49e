/**
 * The door of each side with made-up messages: what its schema allows comes through as it was sent, a field
 * that is wrong or too many is refused and named, and no bytes make more of it than an answer.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifyAssignment } from '../../wire/assignment.js';
import { makePolicyKey, noFloor, signBundle, verifyBundle } from '../../wire/bundle.js';
import { checkDeviceToken, deviceToken, makeDeviceKey, peekDeviceId } from '../../wire/identity.js';
import { parseSigningKey } from '../../wire/keys.js';
import { FromAgent, FromServer, ReportBody } from '../../wire/messages.js';
import {
  fitText,
  maxMessageBytes,
  parseBody,
  parseJson,
  parseMessage,
  type Parsed,
} from '../../wire/parse.js';
import { anyBytes, anyText, mangled } from '../agent/mangled.js';
import { runs } from '../runs.js';

/** What of JSON Schema the messages are written in. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[] | undefined;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly format?: string;
  readonly minItems?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

const wholeText = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: 'grapheme', maxLength: Math.min(maxLength, 20) })
    .filter((text) => text.length <= maxLength && text.isWellFormed() && !text.includes('\0'));

/** Values that a schema allows. */
function allowed(schema: Schema): fc.Arbitrary<unknown> {
  const { type, anyOf, properties = {}, required = [], items, minItems = 0 } = schema;
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(allowed));
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({
        min: schema.minimum ?? 0,
        max: Math.min(schema.maximum ?? 2 ** 31, 2 ** 31 - 1),
      });
    case 'array':
      return fc.array(allowed(items ?? {}), { minLength: minItems, maxLength: minItems + 2 });
    case 'object':
      return fc.record(
        Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, allowed(one)])),
        { requiredKeys: [...required], noNullPrototype: true },
      );
    default:
      return texts(schema);
  }
}

function texts({ pattern, format, maxLength = 64 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') {
    const instants = fc.integer({ min: 0, max: 4_000_000_000_000 });
    return instants.map((ms) => new Date(ms).toISOString());
  }
  if (pattern === undefined) return wholeText(maxLength);
  return fc.stringMatching(new RegExp(pattern)).filter((text) => text.length <= maxLength);
}

const directions = [
  { sender: 'the agent', direction: 'from-agent', schema: FromAgent },
  { sender: 'the server', direction: 'from-server', schema: FromServer },
] as const;

/** Objects in a value, with the pointer to each. */
function objectsIn(
  value: unknown,
  pointer = '',
): { at: Record<string, unknown>; pointer: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.entries(value).flatMap(([key, one]) => objectsIn(one, `${pointer}/${key}`));
  return Array.isArray(value)
    ? below
    : [{ at: value as Record<string, unknown>, pointer }, ...below];
}

describe.each(directions)('a message of $sender', ({ direction, schema }) => {
  const parse = (text: string | Uint8Array): Parsed<unknown> =>
    direction === 'from-agent'
      ? parseMessage('from-agent', text)
      : parseMessage('from-server', text);

  test('comes through as it was sent, as text and as bytes', () => {
    fc.assert(
      fc.property(allowed(schema), (message) => {
        const text = JSON.stringify(message);
        expect(parse(text)).toEqual({ kind: 'value', value: message });
        expect(parse(Buffer.from(text))).toEqual({ kind: 'value', value: message });
      }),
      runs(50),
    );
  });

  test('with a field that nobody knows is refused, and the field is named', () => {
    fc.assert(
      fc.property(allowed(schema), fc.nat(), (message, pick) => {
        const copy = structuredClone(message);
        const objects = objectsIn(copy);
        const { at, pointer } = objects[pick % objects.length] ?? { at: {}, pointer: '' };
        at['surprise'] = 1;
        const parsed = parse(JSON.stringify(copy));
        expect(parsed.kind).toBe('invalid');
        if (parsed.kind !== 'invalid') return;
        // Of a place that has several forms, the first form's complaint is told.
        const isNear =
          `${pointer}/surprise`.startsWith(parsed.path) || parsed.path.startsWith(pointer);
        expect([parsed.path, pointer, isNear]).toEqual([parsed.path, pointer, true]);
      }),
      runs(50),
    );
  });

  test('with a field of another kind is refused', () => {
    fc.assert(
      fc.property(allowed(schema), fc.nat(), (message, pick) => {
        const copy = structuredClone(message);
        const fields = objectsIn(copy).flatMap(({ at }) =>
          Object.keys(at).map((key) => ({ at, key })),
        );
        const { at = {}, key = '' } = fields[pick % fields.length] ?? {};
        at[key] = { [key]: [] };
        expect(parse(JSON.stringify(copy)).kind).toBe('invalid');
      }),
      runs(50),
    );
  });

  test('of any bytes is answered', () => {
    const sample = fc
      .sample(allowed(schema), { seed: 7, numRuns: 4 })
      .map((message) => mangled(Buffer.from(JSON.stringify(message))));
    fc.assert(
      fc.property(fc.oneof(anyBytes, ...sample), anyText, (bytes, text) => {
        for (const frame of [bytes, text]) {
          const parsed = parse(frame);
          if (parsed.kind === 'invalid') expect(parsed.message).not.toBe('');
        }
      }),
      runs(50),
    );
  });
});

test('a report’s body comes through as it was written', () => {
  fc.assert(
    fc.property(allowed(ReportBody), (body) => {
      expect(parseBody(JSON.stringify(body))).toEqual({ kind: 'value', value: body });
    }),
    runs(50),
  );
});

test('a tree holds no half character, no NUL and no prototype, however it is written', () => {
  const escaped = fc.constantFrom('\\u0000', '\\ud800', '\\udc00x', '\\u0000a');
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), escaped, (json, sign) => {
      expect(parseJson(`{"a": [${json}, "${sign}"]}`, maxMessageBytes).kind).toBe('invalid');
      expect(parseJson(`{"${sign}": ${json}}`, maxMessageBytes).kind).toBe('invalid');
      expect(parseJson(`[{"__proto__": ${json}}]`, maxMessageBytes).kind).toBe('invalid');
    }),
    runs(60),
  );
});

test('a text that is made to fit is whole, short enough and goes through the door', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.integer({ min: 2, max: 30 }),
      (text, most) => {
        const fitted = fitText(text, most);
        expect(fitted.length).toBeLessThanOrEqual(most);
        expect(parseJson(JSON.stringify(fitted), 1000)).toEqual({ kind: 'value', value: fitted });
        if (text.length <= most && text.isWellFormed() && !text.includes('\0'))
          expect(fitted).toBe(text);
      },
    ),
    runs(200),
  );
});

test('signed documents, tokens and keys that were mangled are refused and never an error', async () => {
  const [key, device] = [await makePolicyKey(), await makeDeviceKey()];
  const payload = {
    format: 1 as const,
    server: 'server-1',
    sequence: 3,
    issuedAt: '2026-07-01T00:00:00Z',
    policies: [],
    catalogue: { sha256: 'a'.repeat(64) },
    assignmentKeys: [key.x],
    nextPolicyKey: null,
  };
  const jws = await signBundle(payload, key);
  const nowMs = Date.parse('2026-07-10T00:00:00Z');
  const token = await deviceToken({
    deviceId: 'device-1',
    privateKey: device,
    audience: 'server-1',
    nowMs,
  });
  const sent = fc.tuple(
    fc.oneof(mangled(Buffer.from(jws)), anyBytes),
    fc.oneof(mangled(Buffer.from(token)), anyBytes),
  );
  await fc.assert(
    fc.asyncProperty(sent, anyText, async ([bundle, other], text) => {
      const verified = await verifyBundle(bundle.toString('latin1'), {
        pinnedKey: key.x,
        floor: noFloor,
      });
      // The last sign of a signature has bits that stand for nothing; what was signed is the same then.
      if (verified.kind !== 'refused') expect(verified.payload).toEqual(payload);
      const trust = { keys: [key.x], floor: noFloor, device: 'device-1', server: 'server-1' };
      expect((await verifyAssignment(bundle.toString('latin1'), trust)).kind).toBe('refused');
      const check = { publicKey: device.x, audience: 'server-1', nowMs, seen: () => false };
      const checked = await checkDeviceToken(other.toString('latin1'), check);
      if (checked.kind === 'device') expect(checked.deviceId).toBe('device-1');
      expect(typeof (peekDeviceId(other.toString('latin1')) ?? '')).toBe('string');
      expect(parseSigningKey(text).kind).toBe('invalid');
    }),
    runs(60),
  );
});
