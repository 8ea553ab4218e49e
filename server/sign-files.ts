/**
 * The two files between a server and the machine where the policy key is: what is to be signed, and what
 * was. Small JSON that people can read; both are parsed at the edge and neither holds a secret. A signed
 * bundle kept for later is the way back to what was live before, under a sequence reserved for it.
 */
import Type, { type Static } from 'typebox';
import { BundlePayload } from '../wire/bundle.js';
import { CurfewError } from '../wire/errors.js';
import { PublicKeyX } from '../wire/keys.js';
import { maxFrameBytes } from '../wire/messages.js';
import { checker, parseJson, type Parsed } from '../wire/parse.js';

const closed = { additionalProperties: false } as const;
/** A rotation is two bundles, and a way back a third; each fits into a frame. */
const maxDocuments = 4;
export const maxSignFileBytes = maxDocuments * 2 * maxFrameBytes;

/** `live`: made live when it is published. `ready`: kept as the way back to `ofSequence`. */
const use = Type.Enum(['live', 'ready']);
const ofSequence = Type.Optional(Type.Integer({ minimum: 1 }));

export const SignRequest = Type.Object(
  {
    format: Type.Literal(1),
    kind: Type.Literal('curfew-sign-request'),
    server: Type.String({ maxLength: 64 }),
    /** Thumbprint of the policy key that signs; of a rotation the second bundle is signed by the new one. */
    policyKey: PublicKeyX,
    author: Type.String({ maxLength: 256 }),
    documents: Type.Array(
      Type.Object(
        {
          use,
          ofSequence,
          /** `next`: the key that the bundle before it names. */
          signer: Type.Enum(['present', 'next']),
          payload: BundlePayload,
        },
        closed,
      ),
      { minItems: 1, maxItems: maxDocuments },
    ),
    /** For people and not part of what is signed; `policy sign` says it again from the payload. */
    meaning: Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 4096 }),
  },
  closed,
);
export type SignRequest = Static<typeof SignRequest>;
export type SignDocument = SignRequest['documents'][number];

export const SignedFile = Type.Object(
  {
    format: Type.Literal(1),
    kind: Type.Literal('curfew-signed'),
    server: Type.String({ maxLength: 64 }),
    author: Type.String({ maxLength: 256 }),
    documents: Type.Array(
      Type.Object({ use, ofSequence, jws: Type.String({ maxLength: maxFrameBytes }) }, closed),
      { minItems: 1, maxItems: maxDocuments },
    ),
  },
  closed,
);
export type SignedFile = Static<typeof SignedFile>;

const checkRequest = checker(SignRequest);
const checkSigned = checker(SignedFile);

/** Errors: SIGNED_FILE_INVALID. */
export const parseSignRequest = (file: string, text: string): SignRequest =>
  parsed(file, text, { check: checkRequest, expected: 'a file that --prepare wrote' });

/** Errors: SIGNED_FILE_INVALID. */
export const parseSignedFile = (file: string, text: string): SignedFile =>
  parsed(file, text, { check: checkSigned, expected: 'a file that `policy sign` wrote' });

function parsed<T>(
  file: string,
  text: string,
  { check, expected }: { check: (tree: unknown) => Parsed<T>; expected: string },
): T {
  const tree = parseJson(text, maxSignFileBytes);
  const checked = tree.kind === 'value' ? check(tree.value) : tree;
  if (checked.kind === 'value') return checked.value;
  const why = `${checked.path} ${checked.message}`.trim();
  throw new CurfewError('SIGNED_FILE_INVALID', `${file} is not ${expected}: ${why}`, {
    hint: 'Give the file as it was written; it must not be edited on the way.',
  });
}

/**
 * Whether a text is a signed file and not a policy: those are YAML, which rarely begins with a brace.
 * Errors: SIGNED_FILE_INVALID, of a request that nobody has signed yet.
 */
export function looksSigned(file: string, text: string): boolean {
  if (!/^\s*\{/.test(text)) return false;
  if (text.includes('"curfew-sign-request"')) {
    throw new CurfewError('SIGNED_FILE_INVALID', `${file} is what is to be signed`, {
      hint: 'Sign it where the key is: curfew-server policy sign REQUEST --key KEYFILE --out SIGNED',
    });
  }
  return text.includes('"curfew-signed"');
}
