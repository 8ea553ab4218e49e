/** Users, their sessions and sign-in links (hashes only), and the audit log, on SQLite. */
import type { PeopleWrites } from './index.js';
import type { AuditEntry, Pass, User } from './records.js';
import type { Sql } from './sql.js';

const passColumns = 'hash, user, expires_at AS expiresAt';

export function peopleWrites(sql: Sql): PeopleWrites {
  return {
    user: async (name) =>
      sql.get<User>('SELECT name, role, created_at AS createdAt FROM users WHERE name = @name', {
        name,
      }),
    session: async (hash) =>
      sql.get<Pass>(`SELECT ${passColumns} FROM sessions WHERE hash = @hash`, { hash }),
    audit: async (afterSeq, limit) =>
      sql.all<AuditEntry>('SELECT * FROM audit WHERE seq > @afterSeq ORDER BY seq LIMIT @limit', {
        afterSeq,
        limit,
      }),
    lastAudit: async () => sql.get<AuditEntry>('SELECT * FROM audit ORDER BY seq DESC LIMIT 1'),
    putUser: async (user) => {
      sql.run(
        `INSERT INTO users (name, role, created_at) VALUES (@name, @role, @createdAt)
         ON CONFLICT (name) DO UPDATE SET role = excluded.role`,
        { ...user },
      );
    },
    addLink: async (link) => {
      sql.run('INSERT INTO links (hash, user, expires_at) VALUES (@hash, @user, @expiresAt)', {
        ...link,
      });
    },
    takeLink: async (hash) =>
      sql.get<Pass>(`DELETE FROM links WHERE hash = @hash RETURNING ${passColumns}`, { hash }),
    addSession: async (session) => {
      sql.run('INSERT INTO sessions (hash, user, expires_at) VALUES (@hash, @user, @expiresAt)', {
        ...session,
      });
    },
    removeSession: async (hash) => {
      sql.run('DELETE FROM sessions WHERE hash = @hash', { hash });
    },
    removeExpired: async (before) => {
      sql.run('DELETE FROM sessions WHERE expires_at <= @before', { before });
      sql.run('DELETE FROM links WHERE expires_at <= @before', { before });
    },
    addAudit: async (entry) => {
      sql.run(
        `INSERT INTO audit (seq, at, actor, action, subject, detail, prev, hash)
         VALUES (@seq, @at, @actor, @action, @subject, @detail, @prev, @hash)`,
        { ...entry },
      );
    },
  };
}
