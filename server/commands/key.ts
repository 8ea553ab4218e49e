/**
 * `curfew-server key`: makes keys, moves the policy key away, rotates and replaces it. Private keys go
 * from file to file, with mode 0600; none is ever printed or taken from a command line.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { makePolicyKey } from '../../wire/bundle.js';
import { CurfewError } from '../../wire/errors.js';
import { thumbprint } from '../../wire/keys.js';
import {
  print,
  say,
  settingsOf,
  textOf,
  withSettings,
  withPublisher,
  withStore,
  writeResult,
  type Options,
} from '../command-line.js';
import { movePolicyKey } from '../key-move.js';
import { placeKey, policySigner, publicText, readPublicKey } from '../keys.js';
import {
  prepareOnlineRotation,
  prepareRotation,
  replacePolicyKey,
  rotateOnlineKey,
  rotatePolicyKey,
} from '../rotation.js';
import type { SignRequest } from '../sign-files.js';

export function addKeyCommands(program: Command): void {
  const key = program.command('key').description('the keys that sign').exitOverride();
  addMake(key);
  addPublic(key);
  addShow(key);
  addMove(key);
  addRotate(key);
  addRotateOnline(key);
  addReplace(key);
  for (const verb of key.commands) verb.exitOverride();
}

function addMake(key: Command): void {
  key
    .command('make')
    .description('a new policy key in a file of its own; needs no server')
    .requiredOption('--out <file>', 'the key file, made with mode 0600')
    .option('--public <file>', 'its public half, for the server')
    .addHelpText('after', '\nExample: curfew-server key make --out policy.key --public policy.pub')
    .action(async (options: Options) => {
      const file = String(options['out']);
      if (existsSync(file)) throw there(file);
      const made = await makePolicyKey();
      placeKey(file, made);
      await tellPublic(made.x, textOf(options['public']));
    });
}

function addPublic(key: Command): void {
  key
    .command('public <keyfile>')
    .description('the public half of a key file, which may be shown to anyone')
    .option('--out <file>', 'where to write it')
    .addHelpText('after', '\nExample: curfew-server key public policy.key --out policy.pub')
    .action(async (file: string, options: Options) =>
      tellPublic(readPublicKey(file), textOf(options['out'])),
    );
}

const there = (file: string): CurfewError =>
  new CurfewError('USAGE', `${file} is there already`, { hint: 'Keys are never written over.' });

async function tellPublic(x: string, file: string | null): Promise<void> {
  if (file !== null) writeResult(file, publicText(x));
  print(
    JSON.stringify({
      publicKey: { kty: 'OKP', crv: 'Ed25519', x },
      thumbprint: await thumbprint(x),
    }),
  );
}

function addShow(key: Command): void {
  withSettings(key.command('show').description('which keys sign, and where they are'), ['data'])
    .addHelpText('after', '\nExample: curfew-server key show --data /var/lib/curfew-server')
    .action(async (_options: Options, command: Command) => {
      await withStore(settingsOf(command), async (store, keys) => {
        const signer = await policySigner(store.read.signing, keys);
        print(
          JSON.stringify({
            policyKey: signer.x,
            policyKeyThumbprint: signer.thumbprint,
            isPolicyKeyHere: signer.key !== null,
            onlineKeyThumbprint: await thumbprint(keys.online.x),
          }),
        );
      });
    });
}

function addMove(key: Command): void {
  withSettings(key.command('move').description('take the policy key off this server'), ['data'])
    .requiredOption('--to <file>', 'where the key goes, for example a mounted stick')
    .option('--author <name>', 'who does it', 'cli')
    .option('--dry-run', 'say what would be done')
    .addHelpText('after', '\nExample: curfew-server key move --to /media/safe/policy.key')
    .action(async (options: Options, command: Command) => {
      const file = path.resolve(String(options['to']));
      const isDryRun = options['dryRun'] === true;
      const author = String(options['author']);
      await withPublisher(command, async (publisher) => {
        const { thumbprint: moved } = await movePolicyKey(publisher, { file, author, isDryRun });
        print(
          JSON.stringify({ event: isDryRun ? 'would-move' : 'moved', thumbprint: moved, file }),
        );
      });
    });
}

function addRotate(key: Command): void {
  withSettings(
    key.command('rotate').description('a new policy key, named by a bundle that the old one signs'),
    ['data'],
  )
    .option('--next <file>', 'public half of the new key, where keys are elsewhere; with --prepare')
    .option('--prepare <file>', 'write what is to be signed elsewhere by both keys')
    .option('--author <name>', 'who does it', 'cli')
    .option('--dry-run', 'say what would be done')
    .addHelpText(
      'after',
      '\nExample: curfew-server key rotate --data /var/lib/curfew-server --author ana',
    )
    .action(async (options: Options, command: Command) => {
      const author = String(options['author']);
      const [next, file] = [textOf(options['next']), textOf(options['prepare'])];
      if ((next === null) !== (file === null)) {
        throw new CurfewError('USAGE', '--next and --prepare go together', {
          hint: 'Without both, the new key is made here.',
        });
      }
      await withPublisher(command, async (publisher) => {
        if (next === null || file === null) {
          const isDryRun = options['dryRun'] === true;
          const { kind, ...rotated } = await rotatePolicyKey(publisher, { author, isDryRun });
          print(JSON.stringify({ event: kind, ...rotated }));
          if (kind === 'rotated') {
            say(
              `set PolicyKey to ${rotated.after} where devices have it; those enrolled follow by themselves`,
            );
          }
          return;
        }
        const nextPolicyKey = readPublicKey(next);
        tellPrepared(file, await prepareRotation(publisher, { nextPolicyKey, author }));
      });
    });
}

function addRotateOnline(key: Command): void {
  withSettings(
    key.command('rotate-online').description('a new key for assignments, named by a new bundle'),
    ['data'],
  )
    .option('--now', 'the old one was stolen: nothing that it signed holds any more')
    .option('--prepare <file>', 'write what is to be signed elsewhere')
    .option('--author <name>', 'who does it', 'cli')
    .option('--dry-run', 'say what would be done')
    .addHelpText('after', '\nExample: curfew-server key rotate-online --now --author ana')
    .action(async (options: Options, command: Command) => {
      const change = {
        author: String(options['author']),
        isImmediate: options['now'] === true,
        isDryRun: options['dryRun'] === true,
      };
      const file = textOf(options['prepare']);
      await withPublisher(command, async (publisher) => {
        if (file !== null) {
          tellPrepared(file, await prepareOnlineRotation(publisher, change));
          return;
        }
        const { kind, ...rotated } = await rotateOnlineKey(publisher, change);
        print(JSON.stringify({ event: kind, ...rotated }));
      });
    });
}

function addReplace(key: Command): void {
  withSettings(
    key.command('replace <publickey>').description('the policy key is lost: another one signs'),
    ['data'],
  )
    .option('--author <name>', 'who does it', 'cli')
    .addHelpText('after', '\nExample: curfew-server key replace policy.pub --author ana')
    .action(async (file: string, options: Options, command: Command) => {
      const author = String(options['author']);
      await withPublisher(command, async (publisher) => {
        const replaced = await replacePolicyKey(publisher, { x: readPublicKey(file), author });
        print(JSON.stringify({ event: 'replaced', ...replaced }));
        say(
          `no device trusts ${replaced.after} until its setting PolicyKey says so; see docs/admin/policy-keys.md`,
        );
      });
    });
}

export function tellPrepared(file: string, request: SignRequest): void {
  writeResult(file, `${JSON.stringify(request, null, 2)}\n`);
  for (const line of request.meaning) say(line);
  const sequences = request.documents.map(({ payload }) => payload.sequence);
  print(JSON.stringify({ event: 'prepared', file, sequences, policyKey: request.policyKey }));
}
