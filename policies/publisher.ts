/**
 * Who published or signed a component, under every name that its record gives: as it says itself, the
 * parts of a certificate's subject, the team of an Apple signature, and the publisher within the id of
 * an extension or package. It looks at names alone; nothing here checks a signature.
 */
import type { Component } from './component.js';

/** `Developer ID Application: Anthropic PBC (Q6L2SF6YDW)`: https://developer.apple.com/support/developer-id/ */
const appleForm = /^(?:[A-Za-z0-9 ]+: )?(.+) \(([A-Z0-9]{10})\)$/;
/** `CN="Anthropic, PBC", O="Anthropic, PBC", C=US`, RFC 4514 as Windows writes it. */
const subjectPart = /(?:^|,)\s*(?:CN|O)=(?:"((?:[^"]|"")*)"|((?:\\.|[^,\\])*))/gi;
/** `Name_1.2.3.4_x64__pzs8sxrjxfjjc`, the end of which is the publisher's id of a packaged application. */
const packagedForm = /[\\/]WindowsApps[\\/][^\\/]*_([0-9a-hjkmnp-tv-z]{13})(?:[\\/]|$)/i;

/** So many publishers are remembered; a fleet has some dozens. */
const mostPublishers = 1_000;
const known = new Map<string, readonly string[]>();

function namesIn(publisher: string): readonly string[] {
  const before = known.get(publisher);
  if (before !== undefined) return before;
  if (known.size >= mostPublishers) known.clear();
  const names = readNames(publisher);
  known.set(publisher, names);
  return names;
}

function readNames(publisher: string): readonly string[] {
  const apple = appleForm.exec(publisher);
  if (apple !== null) return [publisher, apple[1] ?? '', apple[2] ?? ''];
  const parts = [...publisher.matchAll(subjectPart)].map(
    ([, quoted, plain]) =>
      quoted?.replaceAll('""', '"') ?? plain?.replace(/\\(.)/g, '$1').trim() ?? '',
  );
  return [publisher, ...parts.filter((part) => part !== '')];
}

const nobody: readonly string[] = [];

/** All names, none for what nobody has put a name to. */
export function publishersOf({
  publisher,
  channel,
  manager,
  name,
  path,
}: Pick<Component, 'publisher' | 'channel' | 'manager' | 'name' | 'path'>): readonly string[] {
  const names = publisher == null || publisher === '' ? [] : namesIn(publisher);
  const hasId = channel === 'editor-extension' || (channel === 'package' && manager === 'winget');
  const ofId = hasId ? /^([^.]+)\../.exec(name)?.[1] : undefined;
  const packaged = channel === 'application' ? packagedForm.exec(path)?.[1] : undefined;
  if (names.length === 0 && ofId === undefined && packaged === undefined) return nobody;
  if (ofId === undefined && packaged === undefined) return names;
  return [...new Set([...names, ...[ofId, packaged].filter((one) => one !== undefined)])];
}
