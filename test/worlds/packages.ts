/**
 * Builds the records of package systems below a folder that stands for a machine or a home: the text
 * databases of Linux distributions and the folder stores of snap, flatpak, scoop, chocolatey and winget.
 */
import fs from 'node:fs';
import path from 'node:path';
import { link, place, program } from './native.js';

export interface Package {
  readonly name: string;
  readonly version: string;
}

/** A record of dpkg's status file. */
export function dpkgRecord({ name, version }: Package, status = 'install ok installed'): string {
  return (
    `Package: ${name}\nStatus: ${status}\nPriority: optional\nSection: utils\n` +
    `Architecture: amd64\nVersion: ${version}\nDepends: libc6\n` +
    `Description: says\n Package: not-a-package\n .\n more\n`
  );
}

export function dpkgStatus(root: string, ...records: readonly string[]): void {
  const base = { name: 'base-files', version: '12.4+deb12u5' };
  place(root, 'var/lib/dpkg/status', `${[dpkgRecord(base), ...records].join('\n')}\n`);
}

/** The list of the files that a package has put on the machine. */
export function dpkgFiles(root: string, name: string, files: readonly string[]): void {
  place(root, `var/lib/dpkg/info/${name}.list`, `/.\n/usr\n${files.join('\n')}\n`);
}

/** apk's database with one package that owns one program in /usr/bin. */
export function apkInstalled(root: string, { name, version }: Package, command: string): void {
  const musl = 'C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nF:lib\nR:libc.musl-x86_64.so.1\n';
  const own = `C:Q1def=\nP:${name}\nV:${version}\nA:x86_64\nL:custom\nF:usr\nF:usr/bin\nR:${command}\na:0:0:755\nZ:Q1x=\n`;
  place(root, 'lib/apk/db/installed', `${musl}\n${own}\n`);
}

export function pacmanLocal(root: string, { name, version }: Package, command: string): string {
  const at = path.join(root, `var/lib/pacman/local/${name}-${version}`);
  place(at, 'desc', `%NAME%\n${name}\n\n%VERSION%\n${version}\n\n%ARCH%\nx86_64\n\n`);
  place(at, 'files', `%FILES%\nusr/\nusr/bin/\nusr/bin/${command}\n`);
  return at;
}

/** A mounted snap with its revision in use, and the file it is mounted from. */
export function snap(root: string, { name, version }: Package, isOn = true): void {
  place(root, `var/lib/snapd/snaps/${name}_42.snap`, 'squashfs');
  fs.mkdirSync(path.join(root, 'snap', name, '42'), { recursive: true });
  if (!isOn) return;
  const record = `name: ${name}\nversion: '${version}'\nsummary: says\n`;
  place(root, `snap/${name}/42/meta/snap.yaml`, record);
  link(root, `snap/${name}/current`, '42');
}

/** A deployed flatpak below an installation (`var/lib/flatpak`, `.local/share/flatpak`). */
export function flatpak(installation: string, { name, version }: Package): string {
  const app = path.join(installation, 'app', name);
  const at = path.join(app, 'x86_64/stable/0a1b2c');
  place(at, 'metadata', `[Application]\nname=${name}\nruntime=org.example.Platform/x86_64/24.08\n`);
  const releases = `<release version="${version}" date="2026-06-01"/><release version="0.0.1"/>`;
  const record = `<component><id>${name}</id><releases>${releases}</releases></component>`;
  place(at, `files/share/metainfo/${name}.metainfo.xml`, record);
  link(app, 'x86_64/stable/active', '0a1b2c');
  link(app, 'current', 'x86_64/stable');
  return app;
}

/** A scoop app with its version in use; `shim` also makes the launcher on the PATH. */
export function scoop(
  home: string,
  { name, version }: Package,
  { command, shim = false }: { readonly command: string; readonly shim?: boolean },
): string {
  const app = path.join(home, 'scoop/apps', name);
  program(app, `${version}/${command}.exe`);
  const manifest = { version, architecture: {}, bin: `${command}.exe` };
  place(app, `${version}/manifest.json`, JSON.stringify(manifest));
  link(app, 'current', version);
  if (!shim) return app;
  program(home, `scoop/shims/${command}.exe`, 'SHIM');
  const target = `C:\\Users\\ana\\scoop\\apps\\${name}\\current\\${command}.exe`;
  place(home, `scoop/shims/${command}.shim`, `path = "${target}"\n`);
  return app;
}

export function chocolatey(root: string, { name, version }: Package): void {
  const record = `<?xml version="1.0"?><package><metadata><id>${name}</id><version>${version}</version></metadata></package>`;
  place(root, `ProgramData/chocolatey/lib/${name}/${name}.nuspec`, record);
}

/** A portable package of winget with its link on the PATH. */
export function winget(home: string, id: string, command: string): string {
  const local = 'AppData/Local/Microsoft/WinGet';
  const folder = `${local}/Packages/${id}_Microsoft.Winget.Source_8wekyb3d8bbwe`;
  const file = program(home, `${folder}/${command}.exe`);
  link(home, `${local}/Links/${command}.exe`, file);
  return path.join(home, folder);
}
