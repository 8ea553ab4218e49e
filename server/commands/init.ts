/**
 * `init`: makes the data folder with its keys and database, and prints what agents are to pin. With the
 * policy key elsewhere only its public half is put here.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { CurfewError } from '../../wire/errors.js';
import {
  print,
  settingsOf,
  textOf,
  withSettings,
  withNewStore,
  type Options,
} from '../command-line.js';
import {
  placePublicKey,
  policyKeyFile,
  policySigner,
  publicKeyFile,
  readOrMakeKeys,
  readPublicKey,
} from '../keys.js';
import { prepareFolder } from '../settings.js';

export function addInitCommand(program: Command): void {
  withSettings(program.command('init').description('make keys and database'), ['data'])
    .option('--policy-key-offline <file>', 'public half of a policy key that stays elsewhere')
    .addHelpText('after', '\nExample: curfew-server init --data /var/lib/curfew-server')
    .action(async (options: Options, command: Command) => {
      const settings = settingsOf(command);
      const { dataFolder } = settings;
      const offline = textOf(options['policyKeyOffline']);
      if (offline !== null) await takeOffline(dataFolder, readPublicKey(offline));
      await withNewStore(settings, async (store, keys) => {
        const { x, thumbprint, key } = await policySigner(store.read.signing, keys);
        const policyKeyPath = path.join(dataFolder, policyKeyFile);
        print(
          JSON.stringify({
            serverId: store.serverId,
            policyKey: x,
            policyKeyThumbprint: thumbprint,
            policyKeyFile: key === null ? null : policyKeyPath,
          }),
        );
      });
    });
}

/** A folder that has a policy key keeps it: devices may trust it already. Errors: USAGE. */
async function takeOffline(folder: string, x: string): Promise<void> {
  prepareFolder(folder);
  const hasKey = [policyKeyFile, publicKeyFile].some((name) => existsSync(path.join(folder, name)));
  if (!hasKey) {
    placePublicKey(folder, x);
    return;
  }
  if ((await readOrMakeKeys(folder)).policyKey === x) return;
  throw new CurfewError('USAGE', `${folder} has another policy key already`, {
    hint: 'Change it with `curfew-server key rotate`; move it away with `curfew-server key move`.',
  });
}
