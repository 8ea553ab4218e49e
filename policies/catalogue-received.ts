/**
 * The catalogue as an agent takes it from a server that may be newer than itself. Fields, identifier
 * kinds and values of closed lists that this build does not know are dropped, what an older build left
 * out is filled in, and a known field that is wrong refuses the document whole, as another `format`
 * number does. An author's slip is a case for `parseCatalogue`, which forgives nothing.
 */
import Value from 'typebox/value';
import { toolKinds, type IdentifierKind } from './catalogue.js';
import {
  advisorySchema,
  editorSchema,
  fitsName,
  overlongLists,
  parseCatalogue,
  toolSchema,
  type ParsedCatalogue,
} from './catalogue-schema.js';
import { channels, confidences, platforms } from './component.js';
import { checkRange } from './versions.js';

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Applies a change to each entry of what should be a list; anything else is left to be refused. */
function each(list: unknown, change: (fields: Fields) => readonly unknown[]): unknown {
  if (!Array.isArray(list)) return list;
  return list.flatMap((entry: unknown) => (isFields(entry) ? change(entry) : [entry]));
}

const knownOnes = (list: unknown, known: readonly string[]): unknown =>
  Array.isArray(list) ? list.filter((one) => typeof one !== 'string' || known.includes(one)) : list;

const isNewWord = (value: unknown, known: readonly string[]): boolean =>
  typeof value === 'string' && !known.includes(value);

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** A tool of a kind that is new to this build stays a tool: to lose sight of it would be worse. */
function knownTool(tool: Fields): readonly unknown[] {
  const { kind, identifiers, folders } = tool;
  const names = (list: unknown, [key]: [string, unknown]): unknown =>
    Array.isArray(list) ? list.filter((name) => fitsName(key as IdentifierKind, name)) : list;
  const known = {
    ...tool,
    ...(isNewWord(kind, toolKinds) ? { kind: 'other' } : {}),
    ...(isFields(identifiers)
      ? {
          identifiers: Object.fromEntries(
            Object.entries(identifiers).map((entry) => [entry[0], names(entry[1], entry)]),
          ),
        }
      : {}),
    ...(folders === undefined ? {} : { folders: each(folders, knownFolder) }),
  };
  return [Value.Clean(toolSchema, known)];
}

function knownFolder(folder: Fields): readonly unknown[] {
  const os = knownOnes(folder['os'], platforms);
  return isEmptyList(os) ? [] : [{ ...folder, os }];
}

/** An advisory never grows by what is dropped: one for channels unknown here is not one for all. */
function knownAdvisory(advisory: Fields, tools: ReadonlySet<unknown>): readonly unknown[] {
  const { severity, confidence } = advisory;
  const affects = each(advisory['affects'], (one) => {
    const { tool, versions } = one;
    const listed = knownOnes(one['channels'], channels);
    if (typeof tool === 'string' && !tools.has(tool)) return [];
    if (typeof versions === 'string' && checkRange(versions) !== null) return [];
    if (listed === undefined) return [one];
    return isEmptyList(listed) && !isEmptyList(one['channels'])
      ? []
      : [{ ...one, channels: listed }];
  });
  if (isEmptyList(affects)) return [];
  const known = {
    ...advisory,
    affects,
    ...(isNewWord(severity, ['low', 'medium', 'high', 'critical']) ? { severity: 'high' } : {}),
    ...(isNewWord(confidence, confidences) ? { confidence: 'low' } : {}),
  };
  return [Value.Clean(advisorySchema, known)];
}

/** Reads a fetched document of this format, whichever build wrote it. */
export function parseReceivedCatalogue(value: unknown): ParsedCatalogue {
  const isOther = !isFields(value) || value['format'] !== 1;
  if (isOther || overlongLists(value).length > 0) return parseCatalogue(value);
  const { format, advisories } = value;
  const tools = each(value['tools'], knownTool);
  const ids = new Set(
    Array.isArray(tools) ? tools.map((tool) => isFields(tool) && tool['id']) : [],
  );
  return parseCatalogue({
    format,
    tools,
    editors: each(value['editors'], (editor) => [Value.Clean(editorSchema, { ...editor })]),
    ...(advisories === undefined
      ? {}
      : { advisories: each(advisories, (one) => knownAdvisory(one, ids)) }),
  });
}
