/**
 * The tables of osquery that compiled queries ask, as SQLite tables with the columns of the published
 * specifications (https://github.com/osquery/osquery/tree/master/specs), and the one function of
 * osquery's own that is used. Rows are planted by tests.
 */
import Database from 'better-sqlite3';

const specs: Readonly<Record<string, readonly string[]>> = {
  npm_packages: [
    'name',
    'version',
    'description',
    'author',
    'license',
    'homepage',
    'path',
    'directory',
    'depth',
  ],
  python_packages: ['name', 'version', 'summary', 'author', 'license', 'path', 'directory'],
  homebrew_packages: ['name', 'path', 'version', 'prefix'],
  vscode_extensions: [
    'name',
    'uuid',
    'version',
    'path',
    'publisher',
    'publisher_id',
    'installed_at',
    'prerelease',
    'uid',
    'vscode_edition',
  ],
  chrome_extensions: [
    'uid',
    'name',
    'profile',
    'identifier',
    'version',
    'description',
    'locale',
    'update_url',
    'author',
    'persistent',
    'path',
    'permissions',
    'optional_permissions',
  ],
  firefox_addons: [
    'uid',
    'name',
    'identifier',
    'creator',
    'type',
    'version',
    'description',
    'source_url',
    'visible',
    'active',
    'disabled',
    'autoupdate',
    'location',
    'path',
  ],
  apps: [
    'name',
    'path',
    'bundle_executable',
    'bundle_identifier',
    'bundle_name',
    'bundle_short_version',
    'bundle_version',
    'display_name',
    'last_opened_time',
  ],
  programs: [
    'name',
    'version',
    'install_source',
    'language',
    'publisher',
    'uninstall_string',
    'install_date',
    'identifying_number',
  ],
  chocolatey_packages: ['name', 'version', 'summary', 'author', 'license', 'path'],
  deb_packages: [
    'name',
    'version',
    'source',
    'size',
    'arch',
    'revision',
    'status',
    'maintainer',
    'section',
    'priority',
    'admindir',
  ],
  rpm_packages: ['name', 'version', 'release', 'source', 'size', 'sha1', 'arch', 'epoch'],
  processes: ['pid', 'name', 'path', 'cmdline', 'state', 'cwd', 'root', 'uid', 'gid', 'parent'],
  file: ['path', 'directory', 'filename', 'inode', 'uid', 'gid', 'mode', 'size', 'symlink', 'type'],
  users: [
    'uid',
    'gid',
    'uid_signed',
    'gid_signed',
    'username',
    'description',
    'directory',
    'shell',
    'uuid',
  ],
};

/** A database with every table, empty but for two people. */
export function osqueryTables(): Database.Database {
  const db = new Database(':memory:');
  for (const [table, columns] of Object.entries(specs)) {
    db.exec(`CREATE TABLE ${table} (${columns.map((name) => `"${name}" TEXT`).join(', ')})`);
  }
  plant(db, 'users', { uid: '501', username: 'ana', directory: '/home/ana' });
  plant(db, 'users', { uid: '502', username: 'ben', directory: '/home/ben' });
  // https://osquery.readthedocs.io/en/stable/introduction/sql/: the part at that place, or NULL.
  db.function('split', { deterministic: true }, (text, tokens, at) => {
    const parts = String(text).split(
      new RegExp(`[${String(tokens).replace(/[\]\\^-]/g, '\\$&')}]`),
    );
    return parts[Number(at)] ?? null;
  });
  return db;
}

export function plant(
  db: Database.Database,
  table: string,
  row: Readonly<Record<string, string>>,
): void {
  const names = Object.keys(row);
  db.prepare(
    `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
  ).run(...Object.values(row));
}

/** Empties all tables but `users`. */
export function clear(db: Database.Database): void {
  for (const table of Object.keys(specs)) if (table !== 'users') db.exec(`DELETE FROM ${table}`);
}
