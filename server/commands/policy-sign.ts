/**
 * `policy sign`: what the machine with the policy key does. It reads a request, says from the payload
 * itself what would be signed, and signs. It needs no server and no network; a person at a terminal is
 * asked, a script is not.
 */
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { CurfewError } from '../../wire/errors.js';
import {
  print,
  readSignFile,
  textOf,
  writeResult,
  type Options,
  type SetExitCode,
} from '../command-line.js';
import { readKey } from '../keys.js';
import { parseSignRequest } from '../sign-files.js';
import { meaningOf, signRequest } from '../signing.js';

export function addSignCommand(policy: Command, setExitCode: SetExitCode): void {
  policy
    .command('sign <request>')
    .description('sign what --prepare wrote, on the machine that has the policy key')
    .requiredOption('--key <file>', 'the policy key')
    .option('--next-key <file>', 'of a rotation: the key that follows')
    .option('--out <file>', 'the signed file, for `policy publish` on the server')
    .option('--dry-run', 'say what would be signed, and sign nothing')
    .addHelpText(
      'after',
      '\nExample: curfew-server policy sign to-sign.json --key policy.key --out signed.json',
    )
    .action(async (file: string, options: Options) => {
      const request = parseSignRequest(file, readSignFile(file));
      const out = textOf(options['out']);
      const isDryRun = options['dryRun'] === true;
      for (const document of request.documents) {
        for (const line of await meaningOf(document)) process.stderr.write(`${line}\n`);
      }
      const sequences = request.documents.map(({ payload }) => payload.sequence);
      if (isDryRun) {
        print(JSON.stringify({ event: 'would-sign', sequences }));
        return;
      }
      if (out === null) {
        throw new CurfewError('USAGE', 'the signed file needs a place: --out FILE');
      }
      if (!(await isAgreed())) {
        setExitCode(1);
        return;
      }
      const next = textOf(options['nextKey']);
      const signed = await signRequest(request, {
        present: readKey(String(options['key'])),
        next: next === null ? null : readKey(next),
      });
      writeResult(out, `${JSON.stringify(signed, null, 2)}\n`);
      print(JSON.stringify({ event: 'signed', file: out, sequences }));
    });
}

async function isAgreed(): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return true;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question('Sign this? Type yes: ');
  asking.close();
  return answer.trim() === 'yes';
}
