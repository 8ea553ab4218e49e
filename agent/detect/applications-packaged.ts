/**
 * Packaged applications (MSIX) that are registered for a person, by the names of the packages in that
 * person's classes hive. The folder of all packages may be listed by the system only; a package's own
 * folder may be asked for by its name. The record is the one that its folder gives.
 * Package full name: https://learn.microsoft.com/windows/apps/desktop/modernize/package-identity-overview
 */
import type { Component } from '../../policies/component.js';
import { componentOf } from './applications-windows.js';
import { segmentTest, vendorFolders } from './folders.js';
import type { Reader, Root, World } from './index.js';
import { readRegistry } from './registry.js';
import type { RegistryValue } from './registry-hive.js';

const packages =
  'Local Settings\\Software\\Microsoft\\Windows\\CurrentVersion\\AppModel\\Repository\\Packages';
const store = 'C:/Program Files/WindowsApps/';
const maxPackages = 5_000;

export function readPackaged(root: Root, world: World, reader: Reader): readonly Component[] {
  const branch = {
    hive: 'classes',
    home: root.home,
    key: packages,
    wanted: new Set(['packagerootfolder']),
  } as const;
  const registered = [...(readRegistry(branch, world, reader)?.keys ?? [])];
  if (registered.length > maxPackages) reader.note(root.path, 'too-many');
  const vendors = vendorFolders(world).filter(({ folder }) => folder.path.startsWith(store));
  return vendors.flatMap((vendor) => {
    const [segment = '', ...rest] = vendor.folder.path.slice(store.length).split('/');
    const isOf = segmentTest(segment);
    return registered
      .slice(0, maxPackages)
      .filter(([name]) => isOf(name))
      .flatMap(([name, values]) => {
        const folder = folderOf(name, values.get('packagerootfolder'), world);
        const drive = world.path.parse(folder).root;
        if (world.reader({ within: [drive] }).target(drive) === null) {
          reader.note(folder, 'not-mounted');
          return [];
        }
        const looking = world.reader({ within: [folder] });
        const file = world.path.join(folder, ...rest);
        if (looking.target(file)?.kind !== 'file') return [];
        const version = /_(\d+(?:\.\d+)+)_/.exec(name)?.[1] ?? null;
        const component = componentOf(file, version, { vendor, world, reader: looking });
        return { ...component, evidence: [...component.evidence, 'package registration'].sort() };
      });
  });
}

/** Packages may lie on another drive, in a folder of the same name. */
function folderOf(name: string, stated: RegistryValue | undefined, { path }: World): string {
  const isPlace = typeof stated === 'string' && /^[A-Za-z]:\\WindowsApps\\[^\\]+$/.test(stated);
  return isPlace && path.basename(stated) === name
    ? stated
    : path.join(path.normalize(store), name);
}
