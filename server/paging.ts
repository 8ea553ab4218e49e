/**
 * Cursors of lists: the sort key of a page's last row, opaque to clients. A cursor is parsed like any
 * input; one that is not ours is a bad request.
 */
import Type, { type Static } from 'typebox';
import { CurfewError } from '../wire/errors.js';
import { checker, parseJson } from '../wire/parse.js';
import type { Page, Slice } from './store/index.js';

/** The part of a query that pages. */
export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 2048 })),
};
const PageQuery = Type.Object(pageQuery);
const checkKey = checker(
  Type.Array(Type.String({ maxLength: 1024 }), { minItems: 2, maxItems: 3 }),
);

export function cursorOf({ next }: Page<unknown>): string | null {
  return next === null ? null : Buffer.from(JSON.stringify(next)).toString('base64url');
}

/** Errors: REQUEST_INVALID for a cursor that is not of this list. */
export function sliceOf(query: Static<typeof PageQuery>, keyLength: number): Slice {
  const { limit = 50, cursor } = query;
  if (cursor === undefined) return { limit, after: null };
  const tree = parseJson(Buffer.from(cursor, 'base64url'), 4096);
  const key = tree.kind === 'value' ? checkKey(tree.value) : tree;
  if (key.kind === 'invalid' || key.value.length !== keyLength) {
    throw new CurfewError('REQUEST_INVALID', 'the cursor is not one of this list', {
      hint: 'Leave it out to begin with the first page.',
    });
  }
  return { limit, after: key.value };
}
