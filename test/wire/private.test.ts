/**
 * What leaves the device is what the employee's page says: every object that an agent can send is one
 * table of that page, field for field, and none is open to fields nobody listed.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { decodeJwt } from 'jose';
import type { TSchema } from 'typebox';
import { describe, expect, test } from 'vitest';
import { reportDefaults } from '../../policies/complete.js';
import { candidateReasons, componentStates } from '../../policies/component.js';
import { verdictStatuses } from '../../policies/evaluate.js';
import { reportChoices, reportKinds } from '../../policies/reporting.js';
import { deviceToken, makeDeviceKey } from '../../wire/identity.js';
import {
  DeviceFacts,
  EnrollRequest,
  FromAgent,
  Get,
  Hello,
  KindCounts,
  Report,
  ReportBody,
  ReportedComponent,
  ReportedVerdict,
  ScanState,
  Subject,
  eventKinds,
} from '../../wire/messages.js';

const page = readFileSync(
  path.resolve(import.meta.dirname, '../../docs/employee/what-is-reported.md'),
  'utf8',
);

/** The tables below a heading, up to the next heading: the words in their first columns. */
function tables(heading: string): string[][] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.replace(/^#+ /, '') === heading);
  if (start < 0) throw new Error(`the page has no heading "${heading}"`);
  const end = lines.findIndex((line, index) => index > start && line.startsWith('#'));
  const found: string[][] = [];
  for (const line of lines.slice(start + 1, end < 0 ? undefined : end)) {
    if (/^\| (field|event|kind|reason) \|/.test(line)) found.push([]);
    const [, word] = /^\| `([A-Za-z0-9-]+)` \|/.exec(line) ?? [];
    if (word !== undefined) found.at(-1)?.push(word);
  }
  return found;
}

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: unknown;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly type?: string;
}
const shape = (schema: TSchema): Shape => schema as unknown as Shape;
const fields = (schema: Shape): string[] => Object.keys(schema.properties ?? {});

/** Every object within a schema, itself included. */
function objectsIn(schema: Shape): Shape[] {
  const below = [
    ...Object.values(schema.properties ?? {}),
    ...(schema.items === undefined ? [] : [schema.items]),
    ...(schema.anyOf ?? []),
  ].flatMap(objectsIn);
  return schema.type === 'object' ? [schema, ...below] : below;
}

const [snapshot, changes, device, event] = ReportBody.anyOf;
const stream = shape(Hello).properties?.['streams']?.items ?? {};
const notRead = shape(ScanState).properties?.['notRead']?.items ?? {};
const subjects = Subject.anyOf.map(shape);

/** Heading, which of its tables, and what the table lists. */
const listed: readonly (readonly [string, number, readonly Shape[]])[] = [
  ['Enrolment', 0, [shape(EnrollRequest)]],
  ['Opening a connection', 1, [shape(Hello)]],
  ['Opening a connection', 2, [stream]],
  ['Asking for a document', 0, [shape(Get)]],
  ['The computer', 0, [shape(DeviceFacts)]],
  ['A message', 0, [shape(Report)]],
  ['Whom a message is about', 0, subjects],
  ['All that was found', 0, [shape(snapshot)]],
  ['What has changed', 0, [shape(changes)]],
  ['News about the computer', 0, [shape(device)]],
  ['Something happened', 0, [shape(event)]],
  ['An install', 0, [shape(ReportedComponent)]],
  ['What the policy says of it', 0, [shape(ReportedVerdict)]],
  ['How many of a kind', 0, [shape(KindCounts)]],
  ['How far it has looked', 0, [shape(ScanState)]],
  ['How far it has looked', 1, [notRead]],
];

describe('what leaves the device', () => {
  test.each(listed)('"%s", table %d, lists the fields that are sent', (heading, index, schemas) => {
    const sent = new Set(schemas.flatMap(fields));
    expect(tables(heading)[index]?.sort()).toEqual([...sent].sort());
  });

  test('is nothing but these tables', () => {
    const known = new Set(
      listed.flatMap(([, , schemas]) => schemas.map((one) => fields(one).join())),
    );
    const sendable = [FromAgent, ReportBody, EnrollRequest].map(shape).flatMap(objectsIn);
    expect(sendable.length).toBeGreaterThan(listed.length);
    expect(sendable.map((one) => fields(one).join()).filter((one) => !known.has(one))).toEqual([]);
  });

  test('has no object that would let another field through', () => {
    const sendable = [FromAgent, ReportBody, EnrollRequest].map(shape).flatMap(objectsIn);
    expect(sendable.filter((one) => one.additionalProperties !== false)).toEqual([]);
  });

  test('in the token of a connection is what the page says', async () => {
    const privateKey = await makeDeviceKey();
    const request = { deviceId: 'device-1', privateKey, audience: 'server-1', nowMs: 1e12 };
    const claims = Object.keys(decodeJwt(await deviceToken(request)));
    expect(tables('Opening a connection')[0]?.sort()).toEqual(claims.sort());
  });

  test('as events are the words the page explains', () => {
    expect(tables('Something happened')[1]?.sort()).toEqual([...eventKinds].sort());
  });

  test('by the company’s choice is of the kinds that the page explains, with their defaults', () => {
    const [kinds] = tables('What your company chooses');
    expect(kinds?.sort()).toEqual([...reportKinds].sort());
    for (const kind of reportKinds) {
      const row = page
        .split('\n')
        .find((line) => line.startsWith(`| \`${kind}\` | `) && line.endsWith('` |'));
      expect(row).toMatch(new RegExp(`\\| \`${reportDefaults[kind]}\` \\|$`));
    }
    for (const word of reportChoices) expect(page).toContain(`(\`${word}\`)`);
  });

  test('as reasons of a candidate are the words the page explains', () => {
    expect(tables('An install')[1]?.sort()).toEqual([...candidateReasons].sort());
  });

  test('uses the states and verdicts that the page names', () => {
    for (const word of [...componentStates, ...verdictStatuses]) {
      expect(page).toContain(`\`${word}\``);
    }
  });
});
