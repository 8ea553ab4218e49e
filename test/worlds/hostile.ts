/**
 * What a person, or a broken disk, may put where an honest file or folder was. Each function takes the
 * place of something that is there; outside files carry the word CANARY, so that any byte of them that
 * is used can be found. Asserts nothing.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export const isRoot = process.getuid?.() === 0;

/** Something hostile in the place of a file. */
export interface HostileFile {
  readonly name: string;
  /** Left out: anybody may make it. */
  readonly needsRoot?: true;
  /** `outside`: a folder of somebody else's. */
  readonly put: (file: string, outside: string) => void;
  /**
   * What has to come of it. `keep`: it is there and cannot be read, so what was known of it stays.
   * `note`: it leads elsewhere, which may be another root's affair, but never silently. `any`: what was
   * there is gone, or what is there says whole that it holds nothing.
   */
  readonly must: 'keep' | 'note' | 'any';
}

function replaced(file: string, make: (file: string) => void): void {
  fs.rmSync(file, { recursive: true, force: true });
  make(file);
}

const device = (file: string, ...numbers: readonly string[]): void =>
  replaced(file, (at) => execFileSync('mknod', [at, ...numbers]));

/** A socket outlives its listener, which is ended at once; its path may be longer than one allows. */
function socket(file: string): void {
  const script = `process.chdir(process.argv[1]); require('node:net').createServer().listen(process.argv[2], () => process.kill(process.pid, 'SIGKILL'))`;
  replaced(file, (at) => {
    try {
      execFileSync(process.execPath, ['-e', script, path.dirname(at), path.basename(at)]);
    } catch {
      // It was killed, which is what leaves the socket behind.
    }
    if (!fs.lstatSync(at).isSocket()) throw new Error(`${at} is no socket`);
  });
}

const deep = 100_000;

/** The same text with CANARY in every version, elsewhere; a link to it in its place. */
function linkOut(file: string, outside: string): void {
  const other = path.join(outside, 'canary', path.basename(file));
  fs.mkdirSync(path.dirname(other), { recursive: true });
  const text = fs.readFileSync(file, 'latin1').replace(/\d+\.\d+\.\d+/g, '6.6.6-CANARY');
  fs.writeFileSync(other, text, 'latin1');
  fs.chmodSync(other, fs.statSync(file).mode);
  replaced(file, (at) => fs.symlinkSync(other, at));
}

const text = (file: string): string => fs.readFileSync(file, 'utf8');

export const hostileFiles: readonly HostileFile[] = [
  { name: 'a FIFO', put: (at) => replaced(at, (to) => execFileSync('mkfifo', [to])), must: 'any' },
  { name: 'a socket', put: socket, must: 'any' },
  { name: '/dev/zero', needsRoot: true, put: (at) => device(at, 'c', '1', '5'), must: 'any' },
  { name: 'a disk', needsRoot: true, put: (at) => device(at, 'b', '7', '0'), must: 'any' },
  {
    name: 'a link to /dev/zero',
    put: (at) => replaced(at, (to) => fs.symlinkSync('/dev/zero', to)),
    must: 'any',
  },
  { name: 'a folder', put: (at) => replaced(at, (to) => void fs.mkdirSync(to)), must: 'any' },
  {
    name: 'a link to itself',
    put: (at) => replaced(at, (to) => fs.symlinkSync(to, to)),
    must: 'any',
  },
  { name: 'a link out', put: linkOut, must: 'any' },
  { name: '5 GB of nothing', put: (at) => fs.truncateSync(at, 5 * 1024 ** 3), must: 'keep' },
  { name: 'no permission', put: (at) => fs.chmodSync(at, 0o000), must: 'keep' },
  { name: 'nothing', put: (at) => fs.truncateSync(at, 0), must: 'any' },
  {
    name: 'half of itself',
    put: (at) => fs.truncateSync(at, fs.statSync(at).size >> 1),
    must: 'keep',
  },
  {
    name: 'itself after a UTF-8 mark',
    put: (at) => fs.writeFileSync(at, `\u{feff}${text(at)}`),
    must: 'keep',
  },
  {
    name: 'itself in UTF-16',
    put: (at) => fs.writeFileSync(at, `\u{feff}${text(at)}`, 'utf16le'),
    must: 'keep',
  },
  {
    name: 'itself in UTF-16 the other way round',
    put: (at) => fs.writeFileSync(at, Buffer.from(`\u{feff}${text(at)}`, 'utf16le').swap16()),
    must: 'keep',
  },
  {
    name: 'JSON of great depth',
    put: (at) => fs.writeFileSync(at, '[{"a":'.repeat(deep)),
    must: 'keep',
  },
  {
    name: 'closed JSON of great depth',
    put: (at) => fs.writeFileSync(at, '['.repeat(deep) + ']'.repeat(deep)),
    must: 'any',
  },
  {
    name: 'XML of great depth',
    put: (at) => fs.writeFileSync(at, '<dict><key>a</key>'.repeat(deep)),
    must: 'keep',
  },
  {
    name: 'bytes that are no text',
    put: (at) => fs.writeFileSync(at, Buffer.alloc(5000, 0xff)),
    must: 'keep',
  },
  {
    name: 'one line without end',
    put: (at) => fs.writeFileSync(at, 'x'.repeat(3_000_000)),
    must: 'keep',
  },
];

/** All regular files below a folder, sorted; links are not followed. */
export function filesBelow(folder: string): readonly string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** All folders from `home` down to and below `folder`, without `home` itself. */
export function foldersAround(home: string, folder: string): readonly string[] {
  const above = path.relative(home, folder).split(path.sep);
  const below = fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
  return [...above.map((_, index) => path.join(home, ...above.slice(0, index + 1))), ...below];
}

/** Something hostile in the place of a folder; see `HostileFile`. */
export const hostileFolders: readonly HostileFile[] = [
  {
    name: 'a link to itself',
    put: (at) => replaced(at, (to) => fs.symlinkSync(to, to)),
    must: 'note',
  },
  {
    name: 'a ring of links',
    put(at) {
      replaced(at, (to) => fs.symlinkSync(`${to}-b`, to));
      fs.symlinkSync(at, `${at}-b`);
    },
    must: 'note',
  },
  {
    name: "a link to the same in another person's home",
    put(at, outside) {
      const other = path.join(outside, 'canary');
      fs.cpSync(at, other, { recursive: true, verbatimSymlinks: true });
      for (const file of filesBelow(other)) {
        const text = fs.readFileSync(file, 'latin1');
        fs.writeFileSync(file, text.replace(/\d+\.\d+\.\d+/g, '6.6.6-CANARY'), 'latin1');
      }
      replaced(at, (to) => fs.symlinkSync(other, to));
    },
    must: 'note',
  },
  { name: 'no permission', put: (at) => fs.chmodSync(at, 0o000), must: 'keep' },
  { name: 'no right to list', put: (at) => fs.chmodSync(at, 0o111), must: 'keep' },
  { name: 'no right to enter', put: (at) => fs.chmodSync(at, 0o444), must: 'keep' },
  { name: 'a FIFO', put: (at) => replaced(at, (to) => execFileSync('mkfifo', [to])), must: 'any' },
  { name: 'a file', put: (at) => replaced(at, (to) => fs.writeFileSync(to, 'x')), must: 'any' },
  { name: '/dev/zero', needsRoot: true, put: (at) => device(at, 'c', '1', '5'), must: 'any' },
  {
    name: 'a link to nowhere',
    put: (at) => replaced(at, (to) => fs.symlinkSync('nowhere', to)),
    must: 'any',
  },
  { name: 'nothing at all', put: (at) => fs.rmSync(at, { recursive: true }), must: 'any' },
];
