/**
 * What a schema says against a value, in sentences with the path of the field: unknown fields with the
 * nearest right word, what was expected and what was found. It knows TypeBox and no document; where a
 * schema takes one value or a list, only the form that the author chose is spoken of.
 */
import type { TSchema } from 'typebox';
import { Settings } from 'typebox/system';
import Value from 'typebox/value';
import { suggestion } from './nearest.js';
import type { Step } from './source.js';

/** One thing wrong, with the path of its field. */
export interface Fault {
  readonly severity: 'error' | 'warning';
  readonly path: readonly Step[];
  readonly message: string;
  /** What is added to the message; made only for what is shown, as a search for the nearest word costs. */
  readonly hint?: () => string;
  /** The name of the field is wrong, not its value. */
  readonly isKey?: boolean;
}

export const error = (path: readonly Step[], message: string, isKey = false): Fault => ({
  severity: 'error',
  path,
  message,
  isKey,
});
export const warning = (path: readonly Step[], message: string): Fault => ({
  severity: 'warning',
  path,
  message,
});

type SchemaError = ReturnType<typeof Value.Errors>[number];

/** The parts of a schema that messages speak of. */
interface Shape {
  readonly description?: string;
  /** What a right value looks like. */
  readonly examples?: readonly unknown[];
  readonly patternProperties?: object;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Steps of a JSON pointer; those into a list as numbers. */
function stepsOf(pointer: string, value: unknown): Step[] {
  const steps: Step[] = [];
  let at = value;
  for (const raw of pointer.split('/').slice(1)) {
    const name = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    steps.push(Array.isArray(at) ? Number(name) : name);
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined;
  }
  return steps;
}

function described(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = String(value);
  const short = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return typeof value === 'string' ? `"${short}"` : `the ${typeof value} ${short}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
};

/** Whether an error belongs to the form (one value, or a list) that was not written. */
function isOtherForm(error: SchemaError, value: unknown): boolean {
  if (error.keyword === 'anyOf' || error.keyword === 'boolean') return true;
  const branch = /\/anyOf\/(\d)(\/items)?$/.exec(error.schemaPath);
  if (branch === null) return false;
  const pointer =
    branch[2] === undefined ? error.instancePath : error.instancePath.replace(/\/\d+$/, '');
  return (branch[1] === '1') !== Array.isArray(Value.Pointer.Get(value, pointer));
}

/** A value as an author would write it, on one line. */
function written(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    const text = String(value);
    return /^[\w.+:@/ -]*$/.test(text) && !/^\d+ /.test(text) ? text : `"${text}"`;
  }
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  return `{ ${Object.entries(value)
    .map(([name, one]) => `${name}: ${written(one)}`)
    .join(', ')} }`;
}

/** What is expected of a text: its examples, or its description. */
function expectedText({ description, examples }: Shape): string {
  if (examples !== undefined) return `something like ${examples.map(written).join(' or ')}`;
  return description?.replace(/^[A-Z](?![A-Z])/, (first) => first.toLowerCase()) ?? 'another form';
}

function typeMessage(type: string, shape: Shape, found: unknown): string {
  const isPlain = typeof found === 'number' || typeof found === 'boolean';
  if (type === 'string' && isPlain && shape.examples === undefined) {
    return `expected text; found ${described(found)}; put it in quotes if it is meant`;
  }
  if (type === 'string' && isPlain)
    return `expected ${expectedText(shape)}; found ${described(found)}`;
  const example = shape.examples?.[0];
  const like = type !== 'string' && example !== undefined ? ` like ${written(example)}` : '';
  const expected = `expected ${typeNames[type] ?? type}${like}; found ${described(found)}`;
  if (type === 'array' && typeof found === 'string')
    return `${expected}; write [${described(found)}]`;
  const isQuoted = typeof found === 'string' && unquoted[type]?.test(found) === true;
  if (isQuoted) return `${expected}; write it without quotes`;
  return type === 'boolean' ? expected + suggestion(truth(found), ['true', 'false']) : expected;
}

/** What a text in quotes was meant as. */
const unquoted: Readonly<Record<string, RegExp>> = {
  boolean: /^(true|false)$/,
  number: /^-?\d+(\.\d+)?$/,
  integer: /^-?\d+$/,
};

/** YAML 1.1's other words for truth, which YAML 1.2 takes for text. */
function truth(found: unknown): string {
  const word = String(found).toLowerCase();
  if (['yes', 'on', 'y', '1'].includes(word)) return 'true';
  return ['no', 'off', 'n', '0'].includes(word) ? 'false' : word;
}

function textMessage(shape: Shape, found: unknown): string {
  if (typeof found === 'string' && found.trim() !== '') {
    if (/[\r\n]/.test(found.trim())) return 'expected one line of text; found several';
    if (found !== found.trim())
      return `remove the space around the text; found ${described(found)}`;
  }
  return `expected ${expectedText(shape)}; found ${described(found)}`;
}

function messageOf(error: SchemaError, shape: Shape, found: unknown): string {
  switch (error.keyword) {
    case 'type':
      return typeMessage(String(error.params.type), shape, found);
    case 'enum': {
      const allowed = error.params.allowedValues.map(String);
      const near = typeof found === 'string' ? suggestion(found, allowed) : '';
      return `expected one of ${allowed.join(', ')}; found ${described(found)}${near}`;
    }
    case 'minItems':
    case 'minProperties':
      return 'expected at least one entry';
    case 'maxItems':
      return `expected at most ${error.params.limit} entries`;
    case 'minimum':
    case 'maximum':
      return `expected a number ${error.params.comparison} ${error.params.limit}; found ${described(found)}`;
    case 'maxLength':
      return `expected at most ${error.params.limit} characters`;
    case 'minLength':
    case 'pattern':
      return textMessage(shape, found);
    default:
      return error.message;
  }
}

function unknownField(name: string, { properties, patternProperties, description }: Shape): string {
  if (patternProperties === undefined) {
    return `unknown field "${name}"${suggestion(name, Object.keys(properties ?? {}))}`;
  }
  const tag = name.replaceAll('_', '-');
  const near = tag === name ? '' : `; did you mean "${tag}"?`;
  return `unknown field "${name}": expected ${expectedText({ ...(description === undefined ? {} : { description }) })}${near}`;
}

/** As many as a document may have fields: each that is not known is an error of its own, without words. */
const mostErrors = 100_000;

/** All errors, not TypeBox's first eight, of which a union alone takes three. */
export function errorsOf(
  schema: TSchema,
  value: unknown,
  most = mostErrors,
): readonly SchemaError[] {
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: most });
  try {
    return Value.Errors(schema, value);
  } finally {
    Settings.Set({ maxErrors });
  }
}

/**
 * A value without its unknown fields, so that what else is wrong with it can be said too; null where
 * more than unknown fields is wrong. `faults` are those of the value's shape.
 */
export function withoutUnknownFields(value: unknown, faults: readonly Fault[]): unknown {
  if (faults.some(({ isKey }) => isKey !== true)) return null;
  const rest = structuredClone(value);
  for (const { path } of faults) {
    const name = path.at(-1) ?? '';
    const holder = path
      .slice(0, -1)
      .reduce<unknown>((at, step) => (at as Record<Step, unknown>)[step], rest);
    delete (holder as Record<Step, unknown>)[name];
  }
  return rest;
}

/** Everything that keeps a value from fitting the schema, in the schema's order. */
export function shapeFaults(schema: TSchema, value: unknown): Fault[] {
  const said = new Set<string>();
  const isNew = ({ path, message }: Fault): boolean => {
    const key = `${JSON.stringify(path)} ${message}`;
    return !said.has(key) && said.add(key).size > 0;
  };
  return allFaults(schema, value).filter(isNew);
}

function allFaults(schema: TSchema, value: unknown): Fault[] {
  return errorsOf(schema, value)
    .filter((error) => !isOtherForm(error, value))
    .flatMap((error): Fault[] => {
      const path = stepsOf(error.instancePath, value);
      const shape = (Value.Pointer.Get(schema, error.schemaPath.slice(1)) ?? {}) as Shape;
      const fault = (message: string): Fault => ({ severity: 'error', path, message });
      switch (error.keyword) {
        case 'required':
          return error.params.requiredProperties.map((name) => fault(`missing field "${name}"`));
        case 'additionalProperties':
          return error.params.additionalProperties.map((name) => ({
            severity: 'error',
            path: [...path, name],
            message: unknownField(name, shape),
            isKey: true,
          }));
        default:
          return [fault(messageOf(error, shape, Value.Pointer.Get(value, error.instancePath)))];
      }
    });
}
