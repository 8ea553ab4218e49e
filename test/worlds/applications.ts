/**
 * Builds applications with a window below a temporary folder: macOS bundles, menu entries and AppImages
 * of Linux, program folders of Windows. Contents are made up and small.
 */
import path from 'node:path';
import { place, program } from './native.js';

export interface Bundle {
  readonly id: string;
  readonly version?: string;
  readonly name?: string;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** The record of a bundle as Xcode writes it: text, lists and dictionaries of its own in it. */
export function infoPlist({ id, version, name = 'App' }: Bundle): string {
  const pairs = [
    ['CFBundleExecutable', name],
    ['CFBundleIdentifier', id],
    ['CFBundleName', name],
    ...(version === undefined ? [] : [['CFBundleShortVersionString', version]]),
  ].map(([key = '', value = '']) => `\t<key>${key}</key>\n\t<string>${escaped(value)}</string>\n`);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n',
    '<plist version="1.0">\n<dict>\n',
    '\t<!-- <key>CFBundleIdentifier</key><string>com.example.comment</string> -->\n',
    '\t<key>CFBundleURLTypes</key>\n\t<array>\n\t\t<dict>\n',
    '\t\t\t<key>CFBundleIdentifier</key>\n\t\t\t<string>com.example.nested</string>\n',
    '\t\t</dict>\n\t</array>\n\t<key>LSRequiresIPhoneOS</key>\n\t<false/>\n',
    ...pairs,
    '</dict>\n</plist>\n',
  ].join('');
}

/** A bundle `<folder>/<name>.app`; answers its path. */
export function bundle(folder: string, name: string, { id, version }: Bundle): string {
  const at = path.join(folder, `${name}.app`);
  const record = infoPlist({ id, name, ...(version === undefined ? {} : { version }) });
  place(at, 'Contents/Info.plist', record);
  program(at, `Contents/MacOS/${name}`);
  return at;
}

/** A menu entry that starts `exec`. */
export function menuEntry(folder: string, id: string, exec: string, more = ''): string {
  const text = `[Desktop Entry]\nType=Application\nName=Some Name\nExec=${exec}\n${more}`;
  return place(folder, `${id}.desktop`, `${text}\n[Desktop Action new]\nExec=/bin/other\n`);
}

/** A program of the VS Code family as it is unpacked: the version is in its own package record. */
export function unpackedEditor(folder: string, file: string, version: string): string {
  place(folder, 'resources/app/package.json', JSON.stringify({ name: 'Editor', version }));
  return program(folder, file);
}
