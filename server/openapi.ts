/**
 * The OpenAPI document as it is committed (`server/openapi.json`) and as a running server answers it:
 * taken from the routes themselves. Made from a real server on an empty data folder, without a port.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { createServer } from './app.js';
import { readSettings } from './settings.js';
import { openSqliteStore } from './store/sqlite.js';

/** The text of `server/openapi.json`. */
export async function openApiText(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'curfew-openapi-'));
  const settings = readSettings({ flags: { data: folder }, environment: {} });
  const store = openSqliteStore(path.join(folder, 'server.db'));
  try {
    const log = pino({ level: 'silent' });
    const server = await createServer({ settings, store, log, consoleFolder: folder });
    const document = server.app.swagger();
    await server.close();
    return `${JSON.stringify(document, null, 2)}\n`;
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
