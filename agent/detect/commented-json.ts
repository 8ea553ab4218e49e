/**
 * JSON with comments and commas at the end of lists, as editors and their like write it. Every name is a
 * field, also `__proto__`, which must give no object another prototype. It is whole or nothing.
 */
import { visit } from 'jsonc-parser';

/** The value; undefined for what is not written so, or nests deeper than can be followed. */
export function parseCommented(text: string): unknown {
  const top: unknown[] = [];
  const open: (unknown[] | Record<string, unknown>)[] = [top];
  let name = '';
  let isBroken = false;
  const put = (value: unknown): void => {
    const into = open.at(-1) ?? top;
    if (Array.isArray(into)) into.push(value);
    else if (name !== '__proto__') into[name] = value;
    else Object.defineProperty(into, name, { value, enumerable: true, configurable: true });
  };
  const begin = (value: unknown[] | Record<string, unknown>): void => {
    put(value);
    open.push(value);
  };
  const end = (): void => void open.pop();
  const visitor = {
    onObjectBegin: () => begin({}),
    onArrayBegin: () => begin([]),
    onObjectProperty: (property: string) => void (name = property),
    onLiteralValue: put,
    onObjectEnd: end,
    onArrayEnd: end,
    onError: () => void (isBroken = true),
  };
  try {
    visit(text, visitor, { allowTrailingComma: true });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return isBroken ? undefined : top[0];
}
