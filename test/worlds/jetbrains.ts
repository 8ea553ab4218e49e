/**
 * Builds plugins of JetBrains IDEs below a temporary folder as the IDE unpacks them, and the archives
 * they come in: an honest zip writer, whose fields a test may falsify.
 */
import path from 'node:path';
import fs from 'node:fs';
import zlib from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly content: string | Buffer;
  /** Stored as it is instead of packed. */
  readonly isStored?: boolean;
}

/** A zip file: local records, the directory, its end (PKWARE's APPNOTE.TXT 4.3). */
export function zip(entries: readonly ZipEntry[], comment = ''): Buffer {
  const records: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, content, isStored = false } of entries) {
    const plain = Buffer.from(content);
    const packed = isStored ? plain : zlib.deflateRawSync(plain);
    const named = Buffer.from(name);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(isStored ? 0 : 8, 4);
    shared.writeUInt32LE(zlib.crc32(plain), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(plain.length, 18);
    shared.writeUInt16LE(named.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    records.push(Buffer.from('PK\u0003\u0004'), shared, named, packed);
    directory.push(Buffer.from('PK\u0001\u0002\u0014\u0000'), shared, rest, named);
    at += 30 + named.length + packed.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(at, 12);
  end.writeUInt16LE(comment.length, 16);
  return Buffer.concat([
    ...records,
    ...directory,
    Buffer.from('PK\u0005\u0006'),
    end,
    Buffer.from(comment),
  ]);
}

export function writeZip(file: string, entries: readonly ZipEntry[]): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, zip(entries));
  return file;
}

export interface Plugin {
  readonly id: string;
  readonly version: string;
  /** The plugin's folder, which no IDE reads anything from. */
  readonly folder: string;
}

export const claudePlugin: Plugin = {
  id: 'com.anthropic.code.plugin',
  version: '0.1.14-beta',
  folder: 'claude-code-jetbrains-plugin',
};

/** The descriptor as the marketplace serves it. */
export function pluginXml({ id, version, folder }: Plugin): string {
  return [
    '<idea-plugin require-restart="true">',
    '  <!-- <id>com.example.commented.out</id> -->',
    `  <id>${id}</id>`,
    `  <name>Name of ${folder}</name>`,
    `  <version>${version}</version>`,
    '  <idea-version since-build="243.1" />',
    '  <extensions defaultExtensionNs="com.intellij">',
    '    <toolWindow id="x"><id>com.example.nested</id></toolWindow>',
    '  </extensions>',
    '</idea-plugin>',
    '',
  ].join('\n');
}

export const descriptorEntry = (plugin: Plugin): ZipEntry => {
  return { name: 'META-INF/plugin.xml', content: pluginXml(plugin) };
};

/** Unpacks a plugin into a plugins folder: its own jar among libraries. */
export function unpackPlugin(plugins: string, plugin: Plugin): string {
  const folder = path.join(plugins, plugin.folder);
  const manifest = { name: 'META-INF/MANIFEST.MF', content: 'Manifest-Version: 1.0\n' };
  writeZip(path.join(folder, `lib/${plugin.folder}-${plugin.version}.jar`), [
    manifest,
    descriptorEntry(plugin),
  ]);
  writeZip(path.join(folder, 'lib/annotations.jar'), [manifest]);
  return folder;
}

/** Where a person's plugins of a product lie on each platform, below the home. */
export const pluginsFolder = {
  linux: (product: string) => `.local/share/JetBrains/${product}`,
  darwin: (product: string) => `Library/Application Support/JetBrains/${product}/plugins`,
  win32: (product: string) => `AppData/Roaming/JetBrains/${product}/plugins`,
};

/** The record in an IDE's program folder. */
export function productInfo(product: string, layout: readonly unknown[] = []): string {
  return JSON.stringify({
    name: 'IntelliJ IDEA',
    version: product.replace(/^[A-Za-z]+/, ''),
    productCode: 'IU',
    dataDirectoryName: product,
    productVendor: 'JetBrains',
    layout,
  });
}
