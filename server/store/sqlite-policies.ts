/** Bundles with their policies, plans, and the assignments of devices, on SQLite. */
import type { PolicyWrites } from './index.js';
import type { StoredAssignment, StoredBundle, StoredPlan, StoredPolicy } from './records.js';
import type { Sql } from './sql.js';

/** The newest bundle of those that a condition admits. */
function newest(sql: Sql, where: string, sequence: number): StoredBundle | null {
  const row = sql.get<Omit<StoredBundle, 'policies'>>(
    `SELECT sequence, jws, published_at AS publishedAt, author,
       catalogue_sha256 AS catalogueSha256
     FROM bundles WHERE ${where} ORDER BY sequence DESC LIMIT 1`,
    { sequence },
  );
  if (row === null) return null;
  const policies = sql.all<StoredPolicy>(
    `SELECT policy, yaml, sequence, published_at AS publishedAt, author
     FROM bundle_policies WHERE bundle = @sequence ORDER BY position`,
    { sequence: row.sequence },
  );
  return { ...row, policies };
}

function addBundle(sql: Sql, bundle: StoredBundle): void {
  sql.run(
    `INSERT INTO bundles (sequence, jws, published_at, author, catalogue_sha256)
     VALUES (@sequence, @jws, @publishedAt, @author, @catalogueSha256)`,
    {
      sequence: bundle.sequence,
      jws: bundle.jws,
      publishedAt: bundle.publishedAt,
      author: bundle.author,
      catalogueSha256: bundle.catalogueSha256,
    },
  );
  for (const [position, policy] of bundle.policies.entries()) {
    sql.run(
      `INSERT INTO bundle_policies
         (bundle, position, policy, yaml, sequence, published_at, author)
       VALUES (@bundle, @position, @policy, @yaml, @sequence, @publishedAt, @author)`,
      { bundle: bundle.sequence, position, ...policy },
    );
  }
}

const mostPlans = 1000;

function addPlan(sql: Sql, plan: StoredPlan): void {
  sql.run(
    `INSERT INTO plans (content, base_sequence, author, at)
     VALUES (@content, @baseSequence, @author, @at)`,
    { ...plan },
  );
  sql.run('DELETE FROM plans WHERE id <= (SELECT max(id) FROM plans) - @mostPlans', { mostPlans });
}

export function policyWrites(sql: Sql): PolicyWrites {
  return {
    latestSequence: async () =>
      sql.get<{ n: number | null }>('SELECT max(sequence) AS n FROM bundles')?.n ?? 0,
    latest: async () => newest(sql, 'sequence > @sequence', 0),
    bundle: async (sequence) => newest(sql, 'sequence = @sequence', sequence),
    bundleBefore: async (sequence) => newest(sql, 'sequence < @sequence', sequence),
    assignment: async (device) =>
      sql.get<StoredAssignment>(
        `SELECT device, sequence, jws, issued_at AS issuedAt FROM assignments
         WHERE device = @device ORDER BY sequence DESC LIMIT 1`,
        { device },
      ),
    plan: async (content, baseSequence) =>
      sql.get<StoredPlan>(
        `SELECT content, base_sequence AS baseSequence, author, at FROM plans
         WHERE content = @content AND base_sequence = @baseSequence ORDER BY id DESC LIMIT 1`,
        { content, baseSequence },
      ),
    planOf: async (content) =>
      sql.get<StoredPlan>(
        `SELECT content, base_sequence AS baseSequence, author, at FROM plans
         WHERE content = @content ORDER BY id DESC LIMIT 1`,
        { content },
      ),
    addPlan: async (plan) => addPlan(sql, plan),
    addBundle: async (bundle) => addBundle(sql, bundle),
    addAssignment: async (assignment) => {
      sql.run(
        `INSERT INTO assignments (device, sequence, jws, issued_at)
         VALUES (@device, @sequence, @jws, @issuedAt)`,
        { ...assignment },
      );
      // Of a device only the newest counts.
      const { device, sequence } = assignment;
      sql.run('DELETE FROM assignments WHERE device = @device AND sequence < @sequence', {
        device,
        sequence,
      });
    },
  };
}
