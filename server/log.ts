/**
 * The server's log: one JSON line on stderr per event, with area, event and ids. No sentence to parse,
 * no content of reports, no secret.
 */
import { destination, pino, type Logger } from 'pino';
import type { Settings } from './settings.js';

export type CurfewServerLog = Logger;

export function makeLog(level: Settings['logLevel']): CurfewServerLog {
  return pino(
    { level, base: null, timestamp: () => `,"at":"${new Date().toISOString()}"` },
    destination(2),
  );
}
