/**
 * Rules read by fapolicyd itself, of the Debian package. The daemon reads all rules before it watches
 * anything and stops at the first it does not take: a last line that no version takes keeps it from
 * ever starting, and tells that every line before was taken. Needs root for a private /etc/fapolicyd.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fapolicyd } from '../../../policies/compile/fapolicyd.js';
import { compiled } from './policies.js';
import { textOf } from './readers.js';

const daemon = '/usr/sbin/fapolicyd';
const folder = mkdtempSync(path.join(tmpdir(), 'curfew-fapolicyd-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const everything = `policy: p
title: P
timezone: utc
default: { decision: deny, effective: 2026-07-10, after: block }
rules:
  - { id: ok, match: { tool: qoder }, decision: approve }
`;
const sentinel = 'no_such_decision perm=execute all : all';

/** What the daemon says to rules that end with the line it cannot take; `--permissive` in any case. */
function saidOf(rules: string): string {
  const etc = path.join(folder, 'etc');
  mkdirSync(path.join(etc, 'rules.d'), { recursive: true });
  mkdirSync(path.join(etc, 'trust.d'), { recursive: true });
  writeFileSync(path.join(etc, 'fapolicyd.conf'), 'permissive = 1\n');
  writeFileSync(path.join(etc, 'fapolicyd.trust'), '');
  writeFileSync(path.join(etc, 'compiled.rules'), rules);
  const inside = `mount --bind "$1" /etc/fapolicyd && exec ${daemon} --permissive --debug`;
  const ran = spawnSync('unshare', ['--mount', 'sh', '-c', inside, 'sh', etc], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  expect(ran.status, ran.stderr).toBe(1);
  return ran.stderr;
}

const wrongLines = (said: string): number[] =>
  [...said.matchAll(/ in line \[?(\d+)\]?/g)].map((found) => Number(found[1]));

describe.runIf(existsSync(daemon) && process.getuid?.() === 0)('fapolicyd itself', () => {
  test('takes every rule that is written', () => {
    const text = textOf(compiled(fapolicyd, everything), '.rules') ?? '';
    // fagenrules leaves comments out of what the daemon reads.
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines.length).toBeGreaterThan(20);
    const said = saidOf([...lines, sentinel, ''].join('\n'));
    expect(wrongLines(said)).toEqual([lines.length + 1]);
  });

  test('would have stopped at a wrong rule before', () => {
    const wrong = 'deny_syslog perm=execute all : path=%undefined';
    const said = saidOf(`deny_syslog perm=execute all : path=/opt/x\n${wrong}\n${sentinel}\n`);
    expect(wrongLines(said)).toEqual([2]);
  });

  test('joins the file in front of the rule that allows what is trusted', () => {
    const names = ['38-curfew.rules', '42-trusted-elf.rules', '90-deny-execute.rules'];
    const sorted = spawnSync('ls', ['-1v'], { cwd: makeFiles(names), encoding: 'utf8' });
    expect(sorted.stdout.trim().split('\n')).toEqual(names);
  });
});

function makeFiles(names: readonly string[]): string {
  const at = path.join(folder, 'rules.d');
  mkdirSync(at, { recursive: true });
  for (const name of names) writeFileSync(path.join(at, name), '');
  return at;
}
