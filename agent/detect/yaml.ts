/**
 * YAML as the two hosts that use it write it. In a file of its own because the library is larger than
 * the rest of a scan: it is loaded only when such a file is there, and never on the way to a first read.
 */
import { parse } from 'yaml';

/**
 * Throws for what is not YAML to its end (the library's `silent` would hand out what it made of it);
 * aliases are bounded, as a few of them can stand for millions of values.
 */
export function readYaml(text: string): unknown {
  return parse(text, { logLevel: 'error', maxAliasCount: 100 }) as unknown;
}
