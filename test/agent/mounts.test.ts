/**
 * Which mounts are left alone, by the tables that systems print: lines as proc_pid_mountinfo(5) and
 * macOS' mount(8) have them. That nothing touches such a mount is shown with a real one in
 * `test/contracts/hang.test.ts`.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { folderDisk, rememberingDisk } from '../../agent/detect/disk.js';
import {
  machineMounts,
  mountsOf,
  noMounts,
  parseMountinfo,
  parseMountOutput,
} from '../../agent/detect/mounts.js';
import { decodeName, onDisk } from '../../agent/detect/names.js';
import { createReader } from '../../agent/detect/reader.js';
import { link, place } from '../worlds/native.js';

const desktop = `
22 27 0:21 / /proc rw,relatime - proc proc rw
40 22 0:36 / /proc/sys/fs/binfmt_misc rw,relatime shared:18 - autofs systemd-1 rw,fd=29,pgrp=1
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
28 27 0:25 / /tmp rw,nosuid,nodev shared:2 - tmpfs tmpfs rw
29 27 0:40 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
30 27 0:41 /@home /home rw,relatime shared:5 - btrfs /dev/nvme0n1p2 rw
31 30 0:42 / /home/eve/Private rw - ecryptfs /home/eve/.Private rw
32 27 0:43 / /tank rw - zfs tank rw
33 27 8:17 / /media/ana/usb rw - fuseblk /dev/sdb1 rw,user_id=0,group_id=0
34 27 0:44 / /snap/core22/1 ro - fuse.snapfuse snapfuse ro,user_id=0,group_id=0
35 27 7:1 / /snap/bare/5 ro shared:9 - squashfs /dev/loop1 ro
`;
const remote = `
50 27 0:50 / /srv/nfs rw shared:30 - nfs4 files.example:/export rw,vers=4.2
51 27 0:51 / /mnt/my\\040share\\134x rw - cifs //files.example/it rw
52 27 0:52 / /home/ben rw - fuse.sshfs ben@host.example:/ rw,user_id=1001
53 27 0:53 /deep /home/ana/bound rw - nfs files.example:/export rw
54 27 0:54 / /net rw - autofs /etc/auto.net rw
55 27 0:55 / /home/kim/claims rw - fuse.snapfuse snapfuse rw,user_id=1002,group_id=1002
56 27 0:56 / /mnt/new rw - brandnewfs host rw
57 27 0:57 / /mnt/wsl rw - 9p drvfs rw
58 27 0:58 / /mnt/vm rw - virtiofs tag rw
`;
const mountinfo = (text: string) => parseMountinfo(Buffer.from(text));

describe('a table of Linux', () => {
  test('of a desktop with nothing but its own disks leaves nothing out', () => {
    expect(mountsOf(mountinfo(desktop))).toBe(noMounts);
  });

  test.each([
    '/srv/nfs',
    '/srv/nfs/a/b',
    '/mnt/my share\\x/a',
    '/home/ben/.npmrc',
    '/home/ana/bound',
    '/net/host/export',
    '/home/kim/claims',
    '/mnt/new/a',
    '/mnt/wsl',
    '/mnt/vm/x',
  ])('refuses %s', (at) => {
    expect(mountsOf(mountinfo(desktop + remote)).refuses(at)).toBe('network-mount');
  });

  test.each(['/', '/srv', '/srv/nfsx', '/home/benx', '/home/ana', '/mnt', '/snap/core22/1/a'])(
    'refuses not %s',
    (at) => {
      expect(mountsOf(mountinfo(desktop + remote)).refuses(at)).toBeNull();
    },
  );

  test('the last mount on a folder is the one that counts', () => {
    const share = '60 27 0:60 / /data rw - nfs files.example:/d rw\n';
    const disk = '61 60 8:1 / /data rw - ext4 /dev/sda1 rw\n';
    expect(mountsOf(mountinfo(share + disk)).refuses('/data/a')).toBeNull();
    expect(mountsOf(mountinfo(disk + share)).refuses('/data/a')).toBe('network-mount');
  });

  test('a machine that runs from a share is that share', () => {
    const whole = mountinfo('27 1 0:20 / / rw - 9p root rw\n');
    expect(mountsOf(whole)).toBe(noMounts);
  });

  test('what a setting allows is not refused, what lies inside it still is', () => {
    const nested = '62 52 0:62 / /home/ben/share rw - fuse.sshfs other.example:/ rw,user_id=1001\n';
    const mounts = mountsOf(mountinfo(desktop + remote + nested), ['/home/ben']);
    expect(mounts.refuses('/home/ben/.npmrc')).toBeNull();
    expect(mounts.refuses('/home/ben/share/a')).toBe('network-mount');
    expect(mounts.refuses('/srv/nfs')).toBe('network-mount');
  });

  test('lines that are none, and half of one, say nothing', () => {
    expect(mountinfo('\n - \n50 27 0:50 / /srv\nx - nfs\n')).toEqual([]);
  });

  test('this very machine has a table, and its own temporary folder is local', () => {
    expect(machineMounts().refuses(fs.realpathSync(os.tmpdir()))).toBeNull();
  });
});

test('a table of macOS tells shares from disks', () => {
  const text = [
    '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)',
    'devfs on /dev (devfs, local, nobrowse)',
    'map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)',
    '//ben@files.example/it on /Volumes/it on monday (smbfs, nodev, nosuid, mounted by ben)',
    'ben@host.example:/ on /Users/ben/remote (macfuse, nodev, nosuid, local, synchronous)',
    '',
  ].join('\n');
  const mounts = mountsOf(parseMountOutput(text));
  for (const at of ['/Volumes/it on monday/a', '/Users/ben/remote', '/System/Volumes/Data/home']) {
    expect(mounts.refuses(at)).toBe('network-mount');
  }
  for (const at of ['/', '/dev/null', '/Users/ben', '/Volumes']) {
    expect(mounts.refuses(at)).toBeNull();
  }
});

describe('a disk with a refused mount', () => {
  let top = '';
  beforeEach(() => {
    top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-mounts-')));
    place(top, 'share/a.json', '{"a": 1}');
    place(top, 'home/own/b.json', '{"b": 1}');
  });
  afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

  const mounts = () => mountsOf([{ point: path.join(top, 'share'), isLocal: false }]);
  const reader = (within: string) =>
    createReader({
      boundary: { within: [within] },
      disk: rememberingDisk(mounts()),
      platform: 'linux',
    });

  test('reads, lists and asks for nothing on it, and each is a loss', () => {
    const one = reader(top);
    const share = path.join(top, 'share');
    expect(one.facts(share)).toBeNull();
    expect(one.target(share)).toBeNull();
    expect(one.realPath(path.join(share, 'a.json'))).toBeNull();
    expect(one.list(share)).toEqual([]);
    expect(one.text(path.join(share, 'a.json'))).toBeNull();
    expect(one.problems.every(({ code, isLoss }) => code === 'network-mount' && isLoss)).toBe(true);
    expect(one.problems).toHaveLength(2);
    expect(one.list(top).map(({ name }) => name)).toEqual(['home', 'share']);
    expect(one.json(path.join(top, 'home/own/b.json'))).toEqual({ b: 1 });
  });

  test.each([
    ['an absolute link', (at: string) => path.join(at, 'share')],
    ['a relative link', () => '../share'],
    ['a link over several steps', () => 'step'],
    ['a link up and down again', () => 'own/../../share'],
  ])('is not reached by %s', (_, target) => {
    link(top, 'home/step', '../share');
    link(top, 'home/out', target(top));
    const one = reader(top);
    expect(one.text(path.join(top, 'home/out/a.json'))).toBeNull();
    expect(one.target(path.join(top, 'home/out'))).toBeNull();
    expect(one.problems.map(({ code }) => code)).toEqual(['network-mount', 'network-mount']);
  });

  test('is not reached by way of a link to the top of the file system', () => {
    link(top, 'home/top', '/');
    const at = path.join(top, 'home/top', top, 'share/a.json');
    const one = reader('/');
    expect(one.text(at)).toBeNull();
    expect(one.problems).toMatchObject([{ path: at, code: 'network-mount', isLoss: true }]);
    expect(one.realPath(path.join(top, 'home/top', top, 'home/own'))).toBe(
      path.join(top, 'home/own'),
    );
  });

  test('follows honest links as without it', () => {
    link(top, 'home/short', 'own');
    link(top, 'home/long', path.join(top, 'home/short/../short/b.json'));
    const one = reader(top);
    expect(one.realPath(path.join(top, 'home/long'))).toBe(path.join(top, 'home/own/b.json'));
    expect(one.problems).toEqual([]);
  });

  test('a folder as a machine has the same borders', () => {
    link(top, 'home/out', '/share');
    const disk = folderDisk(top, 'linux', mounts());
    const one = createReader({ boundary: { within: ['/'] }, disk, platform: 'linux' });
    expect(one.text('/home/out/a.json')).toBeNull();
    expect(one.problems).toMatchObject([{ code: 'network-mount', isLoss: true }]);
    expect(() => folderDisk(path.join(top, 'share'), 'linux', mounts())).toThrow(/network or FUSE/);
  });
});

describe('the spelling of names', () => {
  test.each([
    ['plain', 'claude', 'claude'],
    ['any UTF-8', 'café 例\u{1f600}', 'café 例\u{1f600}'],
    ['no UTF-8', Buffer.from([0xff, 0xfe]), '\ufffdff\ufffdfe'],
    ['half a character', Buffer.from('a\xe2\x82z', 'latin1'), 'a\ufffde2\ufffd82z'],
    ['the sign itself', 'a\ufffdb', 'a\ufffdef\ufffdbf\ufffdbdb'],
    ['what looks like a spelling', '\ufffdff', '\ufffdef\ufffdbf\ufffdbdff'],
    ['half a pair', Buffer.from('\xed\xa0\x80', 'latin1'), '\ufffded\ufffda0\ufffd80'],
  ])('%s', (_, name, spelling) => {
    const bytes = typeof name === 'string' ? Buffer.from(name) : name;
    expect(decodeName(bytes)).toBe(spelling);
    expect(Buffer.from(onDisk(spelling))).toEqual(bytes);
    expect(spelling.isWellFormed()).toBe(true);
  });

  test('of every two bytes leads back to them, and to nothing else', () => {
    const spellings = new Set<string>();
    for (let value = 0; value < 0x10000; value += 1) {
      const bytes = Buffer.from([value >> 8, value & 0xff]);
      const spelling = decodeName(bytes);
      spellings.add(spelling);
      if (!Buffer.from(onDisk(spelling)).equals(bytes)) expect(spelling).toBe(bytes);
    }
    expect(spellings.size).toBe(0x10000);
  });
});
