/**
 * What signing leaves behind on SQLite: which key signs the next bundle, the bundles that named a new one,
 * bundles that were signed in advance and wait, and the texts of catalogues that bundles name. Public
 * keys and signed texts only; a private key is never in the database.
 */
import type { SigningWrites } from './index.js';
import type { ReadyBundle } from './records.js';
import type { Sql } from './sql.js';

const readyColumns = `sequence, of_sequence AS ofSequence, jws, author, kept_at AS keptAt`;

/** Texts of catalogues that no bundle of ours can name any more go, but for the latest few. */
const mostCatalogues = 8;

export function signingWrites(sql: Sql): SigningWrites {
  return {
    policyKey: async () =>
      sql.get<{ x: string | null }>('SELECT policy_key AS x FROM server')?.x ?? null,
    rotationBy: async (signer) =>
      sql.get<{ jws: string }>(
        `SELECT b.jws FROM rotations r JOIN bundles b ON b.sequence = r.sequence
         WHERE r.signer = @signer ORDER BY r.sequence DESC LIMIT 1`,
        { signer },
      )?.jws ?? null,
    hasSigned: async (signer) =>
      sql.get('SELECT 1 FROM rotations WHERE signer = @signer LIMIT 1', { signer }) !== null,
    ready: async () =>
      sql.all<ReadyBundle>(`SELECT ${readyColumns} FROM ready_bundles ORDER BY sequence DESC`),
    catalogue: async (sha256) =>
      sql.get<{ text: string }>('SELECT text FROM catalogues WHERE sha256 = @sha256', { sha256 })
        ?.text ?? null,
    setPolicyKey: async (x) => void sql.run('UPDATE server SET policy_key = @x', { x }),
    addRotation: async (sequence, signer) =>
      void sql.run('INSERT INTO rotations (sequence, signer) VALUES (@sequence, @signer)', {
        sequence,
        signer,
      }),
    addReady: async (ready) =>
      void sql.run(
        `INSERT OR REPLACE INTO ready_bundles (sequence, of_sequence, jws, author, kept_at)
         VALUES (@sequence, @ofSequence, @jws, @author, @keptAt)`,
        { ...ready },
      ),
    dropReady: async (upTo) =>
      void sql.run('DELETE FROM ready_bundles WHERE sequence <= @upTo', { upTo }),
    putCatalogue: async (sha256, text) => {
      sql.run('INSERT OR IGNORE INTO catalogues (sha256, text) VALUES (@sha256, @text)', {
        sha256,
        text,
      });
      sql.run(
        `DELETE FROM catalogues WHERE id <= (SELECT max(id) FROM catalogues) - @mostCatalogues
           AND sha256 NOT IN (SELECT catalogue_sha256 FROM bundles ORDER BY sequence DESC LIMIT 1)`,
        { mostCatalogues },
      );
    },
  };
}
