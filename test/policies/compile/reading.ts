/**
 * Reads back what targets wrote, with parsers that are not theirs: libxml2 (as WebAssembly) for XML
 * and schemas, the agent's own reader for property lists. Nothing here knows what is right.
 */
import { validateXML } from 'xmllint-wasm';
import { parsePlist, type PlistValue } from '../../../agent/detect/plist.js';

export interface ReadElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly ReadElement[];
  readonly text: string;
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#xD': '\r',
  '#xA': '\n',
  '#x9': '\t',
};

/** The few escapes of Canonical XML (https://www.w3.org/TR/xml-c14n). */
const plain = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#xD|#xA|#x9);/g, (_, name: string) => entities[name] ?? '');

const known = new Map<string, Promise<ReadElement>>();

/**
 * The document as libxml2 understood it. Throws with its words when it is not well-formed. Each text
 * is read once: libxml2 starts anew for every document.
 */
export function readXml(xml: string): Promise<ReadElement> {
  const read = known.get(xml) ?? readAnew(xml);
  known.set(xml, read);
  return read;
}

async function readAnew(xml: string): Promise<ReadElement> {
  const read = await validateXML({
    xml: { fileName: 'written.xml', contents: xml },
    normalization: 'c14n',
    modifyArguments: (words) => ['--nonet', ...words],
  });
  if (!read.valid || read.normalized === '') throw new Error(read.rawOutput);
  const top = { name: '', attributes: new Map(), children: [] as ReadElement[], text: '' };
  const open: {
    name: string;
    attributes: Map<string, string>;
    children: ReadElement[];
    text: string;
  }[] = [top];
  for (const [whole, slash, name = '', rest = '', text = ''] of read.normalized.matchAll(
    /<(\/?)([\w:]+)((?:\s[^=<>]+="[^"]*")*)>|([^<]+)|<[!?][^>]*>/g,
  )) {
    const last = open.at(-1) ?? top;
    if (slash === '/') open.pop();
    else if (name === '') last.text += whole.startsWith('<') ? '' : plain(text);
    else {
      const pairs = [...rest.matchAll(/\s([^=]+)="([^"]*)"/g)];
      const attributes = new Map(pairs.map(([, key = '', value = '']) => [key, plain(value)]));
      const element = { name, attributes, children: [], text: '' };
      last.children.push(element);
      open.push(element);
    }
  }
  const [root] = top.children;
  if (root === undefined) throw new Error('no element');
  return root;
}

/** All elements of that name below, in order. */
export const elementsOf = (root: ReadElement, name: string): ReadElement[] =>
  root.children.flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...elementsOf(child, name),
  ]);

/** What a schema says against a document; empty when it is valid. */
export async function schemaFaults(xml: string, schema: string): Promise<string[]> {
  const checked = await validateXML({
    xml: { fileName: 'written.xml', contents: xml },
    schema: { fileName: 'schema.xsd', contents: schema },
  });
  return checked.valid ? [] : checked.errors.map(({ message }) => message);
}

/** A property list as plain values. Throws when it is none. */
export function readPlist(text: string): unknown {
  const value = parsePlist(Buffer.from(text));
  if (value === undefined) throw new Error('no property list');
  return plainValue(value);
}

function plainValue(value: PlistValue): unknown {
  if (value instanceof Map) {
    return Object.fromEntries(
      [...value].map(([key, one]: [string, PlistValue]) => [key, plainValue(one)]),
    );
  }
  return Array.isArray(value) ? value.map((one: PlistValue) => plainValue(one)) : value;
}

/** Texts that break out of a format which forgets to escape one thing. */
export const hostileTexts = [
  'say "no" & <b>leave</b>',
  "it's 'quoted' \" twice, C:\\x",
  'ends a section ]]> here',
  '<script>alert(1)</script>',
  '<!-- no comment -->',
  '&amp; &#10; &notanentity;',
  'two\nlines\tand a tab',
  '不可使用：请改用 Qoder',
  'a path with spaces/and (brackets) [x] {y}+*?^$|.',
  '%SYSTEMROOT% $(rm -rf) $HOME `id',
  'emoji 🚫 and é',
] as const;
