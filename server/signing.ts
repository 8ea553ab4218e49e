/**
 * What happens where the policy key is: says in words what a request asks to be signed, taken from the
 * payload itself and never from what the server wrote beside it, and signs it. It needs no server, no
 * network and no database, and refuses what it cannot put into words.
 */
import { difference } from '../policies/difference.js';
import { parsePolicy, type Policy } from '../policies/document.js';
import { BundlePayload, signBundle, thumbprint, type SigningKey } from '../wire/bundle.js';
import { sha256Hex } from '../wire/digest.js';
import { CurfewError } from '../wire/errors.js';
import type { SignDocument, SignedFile, SignRequest } from './sign-files.js';

/** What a terminal would obey, or what turns a line around, as its number. */
const visible = (line: string): string =>
  line.replaceAll(
    /[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu,
    (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`,
  );

/** A bundle in words, a line each. Errors: SIGNED_FILE_INVALID, of what cannot be explained here. */
export async function meaningOf(document: SignDocument): Promise<string[]> {
  const { use, ofSequence, signer, payload } = document;
  mustBeKnown(payload);
  const { sequence, server, catalogue, policies, assignmentKeys, nextPolicyKey } = payload;
  const keys = await Promise.all(assignmentKeys.map((key) => thumbprint(key)));
  const purpose =
    use === 'live'
      ? 'to be live at once'
      : `kept on the server as the way back to sequence ${ofSequence ?? '?'}: whoever runs the server can make it live without this key`;
  const lines = [
    `Bundle ${sequence} of server ${server}, ${purpose}.`,
    `  written at ${payload.issuedAt}; catalogue ${catalogue.sha256}`,
    `  assignments may be signed by ${keys.join(', ') || 'no key'}`,
    ...(nextPolicyKey === null
      ? []
      : [
          `  THE POLICY KEY CHANGES: from the next bundle on ${await thumbprint(nextPolicyKey)} signs, and this key is refused`,
        ]),
    ...(payload.resetFloor === undefined
      ? []
      : [
          `  THE CLOCK: devices go back to ${payload.resetFloor} as the floor of their trusted time`,
        ]),
    ...(signer === 'next' ? ['  signed by the new key'] : []),
    ...(policies.length === 0 ? ['  NO POLICY: devices that follow it do nothing'] : []),
    ...policiesMeaning(payload).map((line) => `  ${line}`),
  ];
  return lines.map(visible);
}

const knownFields = new Set(Object.keys(BundlePayload.properties));

/** What is signed without being shown is not signed. */
function mustBeKnown(payload: BundlePayload): void {
  const foreign = [
    ...Object.keys(payload).filter((name) => !knownFields.has(name)),
    ...payload.policies.flatMap((one) =>
      Object.keys(one).filter((name) => name !== 'priority' && name !== 'yaml'),
    ),
    ...Object.keys(payload.catalogue).filter((name) => name !== 'sha256'),
  ];
  if (foreign.length === 0) return;
  throw new CurfewError(
    'SIGNED_FILE_INVALID',
    `the request has ${foreign.join(', ')}, which this version cannot explain`,
    { hint: 'Sign with the version of curfew-server that wrote the request.' },
  );
}

/** The policies of a bundle in words, as for somebody who has none, and the text that each stands for. */
function policiesMeaning(payload: BundlePayload): string[] {
  const texts = [...payload.policies].sort((one, other) => one.priority - other.priority);
  const policies = texts.map(({ yaml }, at) => readable(yaml, at + 1));
  return [
    ...texts.map(({ yaml }, at) => {
      const { policy, timezone, contact } = policies[at] ?? {};
      const zone = timezone === null ? '' : `, zone ${timezone}`;
      return `${at + 1}. ${policy}${zone}${contact == null ? '' : `, contact ${contact}`}, SHA-256 of its text ${sha256Hex(yaml)}`;
    }),
    ...difference([], policies).map(
      ({ policy, rule, words }) => `${policy}${rule === null ? '' : ` ${rule}`}: ${words.en}`,
    ),
  ];
}

function readable(yaml: string, place: number): Policy {
  const parsed = parsePolicy(yaml);
  if (parsed.kind === 'policy') return parsed.policy;
  const [first] = parsed.problems;
  throw new CurfewError(
    'POLICY_INVALID',
    `policy ${place} of the request: line ${first?.line ?? 1}: ${first?.message ?? 'invalid'}`,
    { hint: 'Sign with the version of curfew-server that wrote the request.' },
  );
}

/** A request from what is to be signed, with its meaning for whoever opens the file. */
export async function withMeaning(
  request: Pick<SignRequest, 'server' | 'policyKey' | 'author' | 'documents'>,
): Promise<SignRequest> {
  const said = await Promise.all(request.documents.map((one) => meaningOf(one)));
  return { format: 1, kind: 'curfew-sign-request', ...request, meaning: said.flat() };
}

export interface SigningKeys {
  readonly present: SigningKey;
  /** Needed for a rotation only. */
  readonly next: SigningKey | null;
}

/** Signs every document of a request. Errors: SIGNED_FILE_INVALID when a key is not the one asked for. */
export async function signRequest(request: SignRequest, keys: SigningKeys): Promise<SignedFile> {
  const named = request.documents.find(({ payload }) => payload.nextPolicyKey !== null);
  const expected = named?.payload.nextPolicyKey ?? null;
  await mustBe(keys.present, request.policyKey, '--key');
  const documents = [];
  for (const { use, ofSequence, signer, payload } of request.documents) {
    const key = signer === 'present' ? keys.present : await nextKey(keys.next, expected);
    const jws = await signBundle(payload, key);
    documents.push({ use, jws, ...(ofSequence !== undefined && { ofSequence }) });
  }
  const { server, author } = request;
  return { format: 1, kind: 'curfew-signed', server, author, documents };
}

async function nextKey(next: SigningKey | null, expected: string | null): Promise<SigningKey> {
  if (next === null || expected === null) {
    throw new CurfewError('SIGNED_FILE_INVALID', 'the request is signed by the new key too', {
      hint: 'Give its file with --next-key.',
    });
  }
  await mustBe(next, await thumbprint(expected), '--next-key');
  return next;
}

async function mustBe(key: SigningKey, expected: string, flag: string): Promise<void> {
  const actual = await thumbprint(key.x);
  if (actual === expected) return;
  throw new CurfewError(
    'SIGNED_FILE_INVALID',
    `the request is for the key ${expected}; ${flag} is ${actual}`,
    { hint: 'Give the file of the key that the request names.' },
  );
}
