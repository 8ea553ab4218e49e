/**
 * Builds extensions of the VS Code family below a home: folders as the editor unpacks them, the lists
 * that say which of them are loaded, and the marks of those to be deleted.
 */
import path from 'node:path';
import { place } from './native.js';

export interface ExtensionFolder {
  /** publisher.name in the publisher's own spelling. */
  readonly id: string;
  readonly version: string;
  /** The name of the folder; by default as the editor makes it. */
  readonly folder?: string;
}

export function folderName({ id, version, folder }: ExtensionFolder): string {
  return folder ?? `${id.toLowerCase()}-${version}`;
}

/** An unpacked extension; says nothing about whether it is loaded. */
export function unpacked(extensions: string, extension: ExtensionFolder): void {
  const [publisher, name] = extension.id.split('.');
  const record = { publisher, name, version: extension.version, engines: { vscode: '^1.100.0' } };
  place(extensions, `${folderName(extension)}/package.json`, JSON.stringify(record));
}

/** One line of a list, as the editor writes it. */
export function listEntry(
  extensions: string,
  extension: ExtensionFolder,
  change: Readonly<Record<string, unknown>> = {},
): unknown {
  const folder = folderName(extension);
  return {
    identifier: { id: extension.id, uuid: '00000000-0000-4000-8000-000000000001' },
    version: extension.version,
    location: { $mid: 1, path: path.join(extensions, folder), scheme: 'file' },
    relativeLocation: folder,
    metadata: { installedTimestamp: 1_780_000_000_000, source: 'gallery' },
    ...change,
  };
}

export function writeList(folder: string, entries: readonly unknown[]): void {
  place(folder, 'extensions.json', JSON.stringify(entries));
}

/** Unpacks extensions and lists them: the ordinary state of an editor. */
export function installed(extensions: string, ...list: readonly ExtensionFolder[]): void {
  for (const extension of list) unpacked(extensions, extension);
  writeList(
    extensions,
    list.map((extension) => listEntry(extensions, extension)),
  );
}

export function markObsolete(extensions: string, ...folders: readonly string[]): void {
  place(extensions, '.obsolete', JSON.stringify(Object.fromEntries(folders.map((f) => [f, true]))));
}
