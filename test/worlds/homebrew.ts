/**
 * Builds what Homebrew leaves on a disk, below a prefix in a temporary folder: kegs of formulae with
 * their links, and casks with the records that Homebrew keeps of them. Contents are made up and small.
 */
import fs from 'node:fs';
import path from 'node:path';
import { link, place, program } from './native.js';

export interface Formula {
  readonly name: string;
  readonly version: string;
  readonly command?: string;
}

/** `brew install`; answers the keg. `isLinked: false` is a keg that an upgrade left behind. */
export function formula(prefix: string, made: Formula, isLinked = true): string {
  const { name, version, command = name } = made;
  const keg = `Cellar/${name}/${version}`;
  const receipt = { homebrew_version: '5.0.0', installed_on_request: true, time: 1_780_000_000 };
  place(prefix, `${keg}/INSTALL_RECEIPT.json`, JSON.stringify(receipt));
  place(prefix, `${keg}/.brew/${name}.rb`, `# formula ${name}\n`);
  program(prefix, `${keg}/bin/${command}`, `BIN ${name} ${version}`);
  if (isLinked) {
    link(prefix, `opt/${name}`, `../${keg}`);
    link(prefix, `bin/${command}`, `../${keg}/bin/${command}`);
  }
  return path.join(prefix, keg);
}

export interface Cask {
  readonly token: string;
  readonly version: string;
  /** As in the cask's `artifacts`: `{ app: ['Name.app'] }`. */
  readonly artifacts: readonly Readonly<Record<string, readonly unknown[]>>[];
  /** The record in Homebrew's own language instead of JSON. */
  readonly ruby?: string;
  readonly time?: string;
  readonly appFolder?: string;
}

/** The record of `brew install --cask` and an empty folder for what it unpacked; answers that folder. */
export function cask(prefix: string, made: Cask): string {
  const { token, version, artifacts, ruby, time = '20260701120000.000', appFolder } = made;
  const room = `Caskroom/${token}`;
  const record = `${room}/.metadata/${version}/${time}/Casks/${token}`;
  if (ruby === undefined) {
    place(prefix, `${record}.json`, JSON.stringify({ token, version, artifacts }));
  } else place(prefix, `${record}.rb`, ruby);
  const explicit = appFolder === undefined ? {} : { appdir: appFolder };
  place(prefix, `${room}/.metadata/config.json`, JSON.stringify({ default: {}, explicit }));
  const staged = path.join(prefix, room, version);
  fs.mkdirSync(staged, { recursive: true });
  return staged;
}

/** A cask of one command: the program in the cask's folder, the launcher a link to it. */
export function commandCask(
  prefix: string,
  token: string,
  version: string,
  command: string,
): string {
  const staged = cask(prefix, { token, version, artifacts: [{ binary: [command] }] });
  program(staged, command, `BIN ${token} ${version}`);
  fs.rmSync(path.join(prefix, 'bin', command), { force: true });
  link(prefix, `bin/${command}`, path.join(staged, command));
  return staged;
}

/** An app that a cask moved to its place, and the link it left; answers the app. */
export function appCask(prefix: string, made: Omit<Cask, 'artifacts'>, name: string): string {
  const folder = made.appFolder ?? '/Applications';
  const staged = cask(prefix, { ...made, artifacts: [{ app: [`${name}.app`] }] });
  place(folder, `${name}.app/Contents/Info.plist`, '<plist/>\n');
  link(staged, `${name}.app`, path.join(folder, `${name}.app`));
  return path.join(folder, `${name}.app`);
}
