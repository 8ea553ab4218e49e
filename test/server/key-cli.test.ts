/**
 * The commands about keys and signing as they are typed: what they print, what they write, how they end,
 * and that no private key is on stdout, on stderr or in a request.
 */
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { run } from '../../server/cli.js';
import { banPolicy } from './policies.js';

let folder: string;
let said = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-key-cli-'));
  said = '';
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => path.join(folder, name);
const privateOf = (name: string): string =>
  (JSON.parse(readFileSync(at(name), 'utf8')) as { d: string }).d;

/** A command line's exit code, what it wrote, and the record of its last line. */
async function curfewServer(...words: string[]) {
  let out = '';
  let err = '';
  const keep = (add: (text: string) => void) =>
    ((text: string | Uint8Array) => {
      add(String(text));
      return true;
    }) as typeof process.stdout.write;
  vi.spyOn(process.stdout, 'write').mockImplementation(keep((text) => (out += text)));
  vi.spyOn(process.stderr, 'write').mockImplementation(keep((text) => (err += text)));
  const code = await run(['node', 'curfew-server', ...words]);
  vi.restoreAllMocks();
  said += out + err;
  const last = out.trim().split('\n').at(-1) ?? '';
  const record = (last.startsWith('{') ? JSON.parse(last) : {}) as Record<string, unknown>;
  return { code, out, err, record };
}
const onServer = (...words: string[]) => curfewServer(...words, '--data', at('server'));

describe('a key that was never on the server', () => {
  beforeEach(async () => {
    writeFileSync(at('policy.yaml'), banPolicy('2026-07-10'));
    await curfewServer('key', 'make', '--out', at('policy.key'), '--public', at('policy.pub'));
    await onServer('init', '--policy-key-offline', at('policy.pub'));
  });

  test('is made for its owner only, never over another, and its public half is the server’s', async () => {
    if (process.platform !== 'win32') expect(statSync(at('policy.key')).mode & 0o777).toBe(0o600);
    const before = readFileSync(at('policy.key'), 'utf8');
    expect((await curfewServer('key', 'make', '--out', at('policy.key'))).code).toBe(2);
    expect(readFileSync(at('policy.key'), 'utf8')).toBe(before);
    const { thumbprint } = (await curfewServer('key', 'public', at('policy.key'))).record;
    const shown = (await onServer('key', 'show')).record;
    expect(shown).toMatchObject({ policyKeyThumbprint: thumbprint, isPolicyKeyHere: false });
    const initialised = (await onServer('init')).record;
    expect(initialised).toMatchObject({ policyKeyThumbprint: thumbprint, policyKeyFile: null });
    expect(said).not.toContain(privateOf('policy.key'));
  });

  test('signs what was prepared: three commands, and without the plan none', async () => {
    const prepare = () =>
      onServer('policy', 'publish', at('policy.yaml'), '--prepare', at('to-sign.json'));
    expect((await prepare()).err).toContain('nobody has planned this very content');
    expect((await onServer('policy', 'plan', at('policy.yaml'))).code).toBe(0);
    const direct = await onServer('policy', 'publish', at('policy.yaml'));
    expect([direct.code, direct.err.includes('--prepare FILE')]).toEqual([2, true]);
    expect((await prepare()).record).toMatchObject({ event: 'prepared', sequences: [1] });
    const unsigned = await onServer('policy', 'publish', at('to-sign.json'));
    expect([unsigned.code, unsigned.err.includes('policy sign REQUEST')]).toEqual([2, true]);
    const sign = (...more: string[]) =>
      curfewServer('policy', 'sign', at('to-sign.json'), '--key', at('policy.key'), ...more);
    const tried = await sign('--dry-run');
    expect([tried.code, tried.record]).toEqual([0, { event: 'would-sign', sequences: [1] }]);
    expect(tried.err).toContain('claude-code-ban');
    const signed = await sign('--out', at('signed.json'));
    expect(signed.record).toMatchObject({ event: 'signed', sequences: [1] });
    const published = await onServer('policy', 'publish', at('signed.json'));
    expect(published.record).toMatchObject({ event: 'published', sequence: 1 });
    expect((await onServer('policy', 'publish', at('signed.json'))).record).toMatchObject({
      event: 'same',
    });
    const files =
      readFileSync(at('to-sign.json'), 'utf8') + readFileSync(at('signed.json'), 'utf8');
    expect(files + said).not.toContain(privateOf('policy.key'));
  });

  test('is not taken from a server that has another one already', async () => {
    await curfewServer('key', 'make', '--out', at('other.key'), '--public', at('other.pub'));
    const again = await onServer('init', '--policy-key-offline', at('other.pub'));
    expect([again.code, again.err.includes('key rotate')]).toEqual([2, true]);
    expect((await onServer('init', '--policy-key-offline', at('policy.pub'))).code).toBe(0);
  });
});

describe('what goes wrong', () => {
  test.each([
    ['a file that is no request', 'policy.yaml', 'policy: x\n'],
    ['a request that was changed', 'request.json', '{"format":1,"kind":"curfew-sign-request"}'],
  ])('%s is refused with a sentence', async (_, name, text) => {
    writeFileSync(at(name), text);
    await curfewServer('key', 'make', '--out', at('policy.key'));
    const { code, err } = await curfewServer(
      ...['policy', 'sign', at(name), '--key', at('policy.key'), '--out', at('signed.json')],
    );
    expect([code, err.includes('is not a file that --prepare wrote')]).toEqual([2, true]);
  });

  test('a key file that cannot be read, a signed file that is none, flags that contradict', async () => {
    await onServer('init');
    writeFileSync(at('signed.json'), '{"kind":"curfew-signed"}');
    const answers = [
      await curfewServer('key', 'public', at('nowhere.key')),
      await onServer('policy', 'publish', at('signed.json')),
      await onServer('policy', 'publish'),
      await onServer('policy', 'publish', at('signed.json'), '--remove', 'a'),
      await onServer('policy', 'rollback'),
      await onServer('policy', 'rollback', '--to', 'x'),
      await onServer('key', 'rotate', '--next', at('signed.json')),
      await onServer('policy', 'publish', '--remove', 'nothing'),
    ];
    for (const { code, out, err } of answers) {
      expect([code, out]).toEqual([2, '']);
      expect(err).not.toMatch(/\n\s+at /);
    }
  });
});

test('the key moves away and comes back by its file alone', async () => {
  await onServer('init');
  const tried = await onServer('key', 'move', '--to', at('moved.key'), '--dry-run');
  expect(tried.record).toMatchObject({ event: 'would-move' });
  const moved = await onServer('key', 'move', '--to', at('moved.key'));
  expect(moved.record).toMatchObject({ event: 'moved', thumbprint: tried.record['thumbprint'] });
  expect((await onServer('key', 'rotate')).err).toContain('is not on this server');
  copyFileSync(at('moved.key'), at('server/policy-key.json'));
  chmodSync(at('server/policy-key.json'), 0o600);
  const rotated = await onServer('key', 'rotate', '--author', 'ana');
  expect(rotated.record).toMatchObject({ event: 'rotated', before: tried.record['thumbprint'] });
  expect(rotated.err).toContain('set PolicyKey to');
  expect(said).not.toContain(privateOf('moved.key'));
  const online = await onServer('key', 'rotate-online', '--now', '--dry-run');
  expect(online.record).toMatchObject({ event: 'would-rotate' });
  expect(
    (await onServer('policy', 'rollback', '--list', '--json')).out.trim().split('\n'),
  ).toHaveLength(2);
});
