/**
 * The only writers of XML, property lists and .reg files: escaping lives here and nowhere else. Output
 * is a tree first and text last, so that a text of a policy can never become markup. What XML 1.0 has
 * no way to say (control characters, half a surrogate pair) becomes U+FFFD.
 */

/** An element: its name, attributes in the order they are written, and children or a text. */
export interface Element {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly children?: readonly Element[];
  readonly text?: string;
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>';

/** Characters outside the Char production of https://www.w3.org/TR/xml/#charsets. */
const unsayable = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu;

/** A text between tags. `>` too, so that `]]>` cannot stand anywhere. */
export function escapeText(text: string): string {
  return text
    .replace(unsayable, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

/** A text in double quotes; line breaks and tabs survive the normalization of attributes. */
export function escapeAttribute(text: string): string {
  return escapeText(text)
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
    .replaceAll('\t', '&#9;');
}

function lines(element: Element, indent: string): string[] {
  const { name, attributes = {}, children = [], text } = element;
  const pairs = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${escapeAttribute(value)}"`,
  );
  const open = `${indent}<${name}${pairs.join('')}`;
  if (text !== undefined) return [`${open}>${escapeText(text)}</${name}>`];
  if (children.length === 0) return [`${open}/>`];
  const inner = children.flatMap((child) => lines(child, `${indent}  `));
  return [`${open}>`, ...inner, `${indent}</${name}>`];
}

/** One element without a declaration, as a policy field of an MDM takes it. */
export const writeElement = (element: Element): string => `${lines(element, '').join('\n')}\n`;

/** A whole document. */
export const writeXml = (root: Element): string => `${declaration}\n${writeElement(root)}`;

export type PlistValue =
  string | number | boolean | readonly PlistValue[] | { readonly [key: string]: PlistValue };

function plistElement(value: PlistValue): Element {
  if (typeof value === 'string') return { name: 'string', text: value };
  if (typeof value === 'boolean') return { name: String(value) };
  if (typeof value === 'number') {
    return { name: Number.isInteger(value) ? 'integer' : 'real', text: String(value) };
  }
  return isList(value)
    ? { name: 'array', children: value.map(plistElement) }
    : { name: 'dict', children: dictElements(value) };
}

const isList = (value: object): value is readonly PlistValue[] => Array.isArray(value);

const dictElements = (dict: Readonly<Record<string, PlistValue>>): Element[] =>
  Object.entries(dict)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([key, value]) => [{ name: 'key', text: key }, plistElement(value)]);

/** A property list, keys in order (https://www.apple.com/DTDs/PropertyList-1.0.dtd). */
export function writePlist(value: PlistValue): string {
  const doctype =
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">';
  const root = { name: 'plist', attributes: { version: '1.0' }, children: [plistElement(value)] };
  return `${declaration}\n${doctype}\n${writeElement(root)}`;
}

/** The payload of a profile: its domain, and what makes its ids. */
export interface ProfilePayload {
  /** PayloadType: the preference domain. */
  readonly domain: string;
  readonly identifier: string;
  readonly uuid: string;
  readonly settings: Readonly<Record<string, PlistValue>>;
}

/** A configuration profile for the whole machine, with one payload for each domain. */
export function writeProfile(profile: {
  readonly identifier: string;
  readonly uuid: string;
  readonly displayName: string;
  readonly description: string;
  readonly payloads: readonly ProfilePayload[];
}): string {
  return writePlist({
    PayloadType: 'Configuration',
    PayloadScope: 'System',
    PayloadVersion: 1,
    PayloadIdentifier: profile.identifier,
    PayloadUUID: profile.uuid.toUpperCase(),
    PayloadDisplayName: profile.displayName,
    PayloadDescription: profile.description,
    PayloadContent: profile.payloads.map(({ domain, identifier, uuid, settings }) => ({
      ...settings,
      PayloadType: domain,
      PayloadVersion: 1,
      PayloadIdentifier: identifier,
      PayloadUUID: uuid.toUpperCase(),
    })),
  });
}

/** A value of the Windows registry. */
export interface RegistryValue {
  readonly name: string;
  readonly value: string | number;
}

/** A backslash and a quote are escaped; a text of several lines has no quoted form. */
const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** REG_SZ as its bytes: UTF-16, little-endian, with the zero at its end. */
function asBytes(text: string): string {
  const bytes = [...Buffer.from(`${text}\0`, 'utf16le')];
  return `hex(1):${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(',')}`;
}

/** Text is kept to ASCII, which every code page reads alike. */
function registryText(value: string | number): string {
  if (typeof value === 'number') return `dword:${value.toString(16).padStart(8, '0')}`;
  return /^[ -~]*$/.test(value) ? quoted(value) : asBytes(value);
}

/** A .reg file of version 5, with the line ends regedit writes; ASCII, whatever the values hold. */
export function writeRegistry(
  keys: readonly { readonly key: string; readonly values: readonly RegistryValue[] }[],
): string {
  const blocks = keys.map(({ key, values }) =>
    [
      `[${key.replace(/[\r\n\]]/g, ' ')}]`,
      ...values.map(({ name, value }) => `${quoted(name)}=${registryText(value)}`),
      '',
    ].join('\r\n'),
  );
  return ['Windows Registry Editor Version 5.00', '', ...blocks].join('\r\n');
}
