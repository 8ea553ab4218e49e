/** The hashes, against values made with other programs. */
import { describe, expect, test } from 'vitest';
import { reportHash, sha256Hex, zeroHash } from '../../wire/digest.js';

describe('hashes', () => {
  test('a text hashes as FIPS 180-2 says of "abc"', () => {
    expect(sha256Hex('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  test('the link of a chain is what sha256sum makes of stream, seq, prev and body', () => {
    const body = '{"path":"~/…/node_modules/工具"}';
    expect(reportHash('s1', 1, zeroHash, body)).toBe(
      '0cebeb71307303e0d3918704454b9b00c2f8521b2260d6a9337f58babb1121b9',
    );
  });
});
