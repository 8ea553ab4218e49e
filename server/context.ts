/** What the routes share: the parts of a running server that answer a request. No behaviour. */
import type { CurfewServerLog } from './log.js';
import type { FleetSources } from './compliance.js';
import type { ServerKeys } from './keys.js';
import type { LiveUpdates } from './live.js';
import type { Settings } from './settings.js';

export interface ServerContext extends FleetSources {
  readonly settings: Settings;
  readonly keys: ServerKeys;
  readonly live: LiveUpdates;
  readonly log: CurfewServerLog;
  /** A device came, went or reported: consoles hear of it and the trend is sampled. */
  readonly deviceChanged: (device: string) => void;
}
