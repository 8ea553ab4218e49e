/**
 * `curfew-server serve`: starts the server, says once on stdout where it listens, and stays until it
 * is told to stop. A signal lets it answer what it has taken, for at most five seconds.
 */
import { lockFolder } from '../wire/lock.js';
import { createServer } from './app.js';
import { policySigner } from './keys.js';
import type { Settings } from './settings.js';
import type { Store } from './store/index.js';

const drainMs = 5000;

interface ServeOptions {
  readonly settings: Settings;
  readonly store: Store;
}

/** Resolves after a clean stop. Errors: FOLDER_IN_USE, those of `listen`. */
export async function serve(options: ServeOptions): Promise<void> {
  const lock = lockFolder(options.settings.dataFolder);
  try {
    await serveAlone(options);
  } finally {
    lock.release();
  }
}

async function serveAlone({ settings, store }: ServeOptions): Promise<void> {
  const server = await createServer({ settings, store });
  const { log, keys } = server.context;
  // Before anyone is told that we listen: who is told may stop us at once.
  const stopped = stopSignal();
  let url;
  try {
    url = await server.listen();
  } catch (error) {
    stopped.forget();
    await server.close();
    throw error;
  }
  const { serverId } = store;
  const { thumbprint: policyKeyThumbprint } = await policySigner(store.read.signing, keys);
  const ready = { event: 'listening', url, serverId, policyKeyThumbprint, pid: process.pid };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  log.info({ area: 'server', event: 'listening', url }, 'listening');
  const signal = await stopped.heard;
  log.info({ area: 'server', event: 'stopping', signal }, 'stopping');
  const forced = setTimeout(() => {
    log.error({ area: 'server', event: 'forced-stop' }, 'forced-stop');
    process.exit(1);
  }, drainMs);
  await server.close();
  clearTimeout(forced);
  log.info({ area: 'server', event: 'stopped' }, 'stopped');
}

interface StopSignal {
  readonly heard: Promise<NodeJS.Signals | 'disconnect'>;
  /** Leaves signals to whoever else there is: after a start that failed nobody listens here. */
  forget(): void;
}

/** A signal, or the end of the process that started us with a channel to it (`npm run up`). */
function stopSignal(): StopSignal {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals | 'disconnect'>();
  const onDisconnect = (): void => resolve('disconnect');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  process.once('disconnect', onDisconnect);
  process.channel?.unref();
  return {
    heard: promise,
    forget: () => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, resolve);
      process.off('disconnect', onDisconnect);
    },
  };
}
