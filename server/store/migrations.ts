/**
 * The tables of the server on SQLite, as steps forward: step n takes a database of version n - 1 to
 * n. A step that has shipped is never edited; what it got wrong, the next one corrects.
 */
const first = `
CREATE TABLE server (id TEXT NOT NULL, created_at INTEGER NOT NULL);

CREATE TABLE enrol_tokens (
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  group_name TEXT,
  label TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  uses_left INTEGER,
  is_revoked INTEGER NOT NULL
);

CREATE TABLE devices (
  id TEXT PRIMARY KEY,
  public_key TEXT NOT NULL UNIQUE,
  host_name TEXT NOT NULL COLLATE NOCASE,
  facts TEXT NOT NULL,
  hardware_id TEXT,
  group_name TEXT,
  label TEXT,
  enrolled_at INTEGER NOT NULL,
  last_seen INTEGER,
  revoked_at INTEGER,
  may_replace TEXT
) WITHOUT ROWID;
CREATE INDEX devices_by_hardware ON devices (hardware_id) WHERE hardware_id IS NOT NULL;
CREATE INDEX devices_by_revocation ON devices (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX devices_by_name ON devices (host_name, id) WHERE revoked_at IS NULL;

CREATE TABLE device_status (
  device TEXT PRIMARY KEY,
  standing TEXT NOT NULL,
  fresh_at INTEGER,
  worst TEXT,
  has_review INTEGER NOT NULL,
  findings INTEGER NOT NULL,
  bundle_sequence INTEGER
) WITHOUT ROWID;
CREATE INDEX device_status_by_standing ON device_status (standing, fresh_at);
CREATE INDEX device_status_by_review ON device_status (device) WHERE has_review = 1;

CREATE TABLE streams (
  device TEXT NOT NULL,
  stream TEXT NOT NULL,
  subject TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  has_base INTEGER NOT NULL,
  is_awaiting INTEGER NOT NULL,
  part INTEGER NOT NULL,
  is_superseded INTEGER NOT NULL,
  PRIMARY KEY (device, stream)
) WITHOUT ROWID;

CREATE TABLE reports (
  id INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  stream TEXT NOT NULL,
  seq INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  body TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  UNIQUE (device, stream, seq)
);

CREATE TABLE components (
  device TEXT NOT NULL,
  id TEXT NOT NULL,
  subject TEXT NOT NULL,
  tool TEXT,
  channel TEXT NOT NULL,
  manager TEXT,
  purl TEXT,
  name TEXT NOT NULL,
  version TEXT,
  path TEXT NOT NULL,
  owner TEXT,
  scope TEXT NOT NULL,
  state TEXT NOT NULL,
  confidence TEXT NOT NULL,
  evidence TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  verdict TEXT NOT NULL,
  PRIMARY KEY (device, subject, id)
) WITHOUT ROWID;

CREATE TABLE findings (
  device TEXT NOT NULL,
  key TEXT NOT NULL,
  tool TEXT,
  name TEXT NOT NULL,
  rank INTEGER NOT NULL,
  status TEXT NOT NULL,
  verdict TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  PRIMARY KEY (device, key)
) WITHOUT ROWID;
CREATE INDEX findings_by_rank ON findings (rank, device, key);
CREATE INDEX findings_by_tool ON findings (tool, rank, device);

CREATE TABLE scans (
  device TEXT NOT NULL,
  subject TEXT NOT NULL,
  scan TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (device, subject)
) WITHOUT ROWID;

CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  tool TEXT,
  component TEXT,
  from_text TEXT,
  to_text TEXT,
  detail TEXT
);
CREATE INDEX history_by_device ON history (device, id);

CREATE TABLE trend (at INTEGER PRIMARY KEY, states TEXT NOT NULL);

CREATE TABLE bundles (
  sequence INTEGER PRIMARY KEY,
  jws TEXT NOT NULL,
  published_at INTEGER NOT NULL,
  author TEXT NOT NULL,
  catalogue_sha256 TEXT NOT NULL
);
CREATE TABLE bundle_policies (
  bundle INTEGER NOT NULL,
  position INTEGER NOT NULL,
  policy TEXT NOT NULL,
  yaml TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  published_at INTEGER NOT NULL,
  author TEXT NOT NULL,
  PRIMARY KEY (bundle, position)
) WITHOUT ROWID;

CREATE TABLE assignments (
  device TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  jws TEXT NOT NULL,
  issued_at INTEGER NOT NULL,
  PRIMARY KEY (device, sequence)
) WITHOUT ROWID;

CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions (hash TEXT PRIMARY KEY, user TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE links (hash TEXT PRIMARY KEY, user TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT,
  detail TEXT,
  prev TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
`;

/** What a policy may have reported: a tool's gateway, why something looks like a tool, and mere counts. */
const second = `
ALTER TABLE components ADD COLUMN gateway TEXT;
ALTER TABLE components ADD COLUMN candidate_reasons TEXT;
ALTER TABLE scans ADD COLUMN counts TEXT NOT NULL DEFAULT '{}';
`;

/** The versions behind a finding; what is wrong with them is for the catalogue of the day to say. */
const third = `ALTER TABLE findings ADD COLUMN versions TEXT NOT NULL DEFAULT '[]';`;

/**
 * How many devices have the same versions of a tool: counters, as grouping the findings takes a second
 * for some hundred thousand devices. Triggers keep them right whoever writes or deletes a finding.
 */
const fourth = `
CREATE TABLE tool_versions (
  tool TEXT NOT NULL,
  versions TEXT NOT NULL,
  devices INTEGER NOT NULL,
  PRIMARY KEY (tool, versions)
) WITHOUT ROWID;
INSERT INTO tool_versions SELECT tool, versions, count(*) FROM findings
  WHERE tool IS NOT NULL AND versions <> '[]' GROUP BY tool, versions;

CREATE TRIGGER tool_versions_come AFTER INSERT ON findings
WHEN NEW.tool IS NOT NULL AND NEW.versions <> '[]'
BEGIN
  INSERT INTO tool_versions VALUES (NEW.tool, NEW.versions, 1)
    ON CONFLICT (tool, versions) DO UPDATE SET devices = devices + 1;
END;
CREATE TRIGGER tool_versions_go AFTER DELETE ON findings
WHEN OLD.tool IS NOT NULL AND OLD.versions <> '[]'
BEGIN
  UPDATE tool_versions SET devices = devices - 1
    WHERE tool = OLD.tool AND versions = OLD.versions;
  DELETE FROM tool_versions
    WHERE tool = OLD.tool AND versions = OLD.versions AND devices <= 0;
END;
`;

/** What was planned, so that only what somebody has seen the effect of is published. */
const fifth = `
CREATE TABLE plans (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content TEXT NOT NULL,
  base_sequence INTEGER NOT NULL,
  author TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX plans_by_content ON plans (content, base_sequence);
`;

/** What assignments are made from; people compare in any case, as directories write them in any. */
const sixth = `
ALTER TABLE devices ADD COLUMN assigned_user TEXT COLLATE NOCASE;
CREATE INDEX devices_by_assigned_user ON devices (assigned_user) WHERE assigned_user IS NOT NULL;

CREATE TABLE exceptions (
  id TEXT PRIMARY KEY,
  tool TEXT NOT NULL,
  person TEXT COLLATE NOCASE,
  -- Of account@device the device.
  person_device TEXT,
  device TEXT,
  hardware_id TEXT COLLATE NOCASE,
  reason TEXT NOT NULL,
  author TEXT NOT NULL,
  starts_at INTEGER,
  until INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  ended_by TEXT
) WITHOUT ROWID;
CREATE INDEX exceptions_by_time ON exceptions (created_at, id);
CREATE INDEX exceptions_by_end ON exceptions (until) WHERE ended_at IS NULL;
CREATE INDEX exceptions_by_person ON exceptions (person) WHERE person IS NOT NULL;
CREATE INDEX exceptions_by_person_device ON exceptions (person_device)
  WHERE person_device IS NOT NULL;
CREATE INDEX exceptions_by_device ON exceptions (device) WHERE device IS NOT NULL;
CREATE INDEX exceptions_by_hardware ON exceptions (hardware_id) WHERE hardware_id IS NOT NULL;

CREATE TABLE device_persons (
  device TEXT NOT NULL,
  account TEXT NOT NULL,
  person TEXT NOT NULL COLLATE NOCASE,
  PRIMARY KEY (device, account)
) WITHOUT ROWID;
CREATE INDEX device_persons_by_person ON device_persons (person);

-- Device * stands for all of them.
CREATE TABLE device_terms (
  device TEXT PRIMARY KEY,
  is_paused INTEGER NOT NULL,
  pause_until INTEGER,
  message TEXT,
  rescan_after INTEGER
) WITHOUT ROWID;

CREATE TABLE assignment_changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device TEXT NOT NULL
);
`;

/**
 * Which key signs the next bundle, and what was signed elsewhere or in advance: the bundles that name a
 * new key (for devices that were away), roll-backs kept ready, and the catalogues that bundles name.
 */
const seventh = `
ALTER TABLE server ADD COLUMN policy_key TEXT;

CREATE TABLE rotations (
  sequence INTEGER PRIMARY KEY,
  -- Thumbprint of the key that signed it and is retired by it.
  signer TEXT NOT NULL
);
CREATE INDEX rotations_by_signer ON rotations (signer, sequence);

CREATE TABLE ready_bundles (
  sequence INTEGER PRIMARY KEY,
  of_sequence INTEGER NOT NULL,
  jws TEXT NOT NULL,
  author TEXT NOT NULL,
  kept_at INTEGER NOT NULL
);

CREATE TABLE catalogues (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sha256 TEXT NOT NULL UNIQUE,
  text TEXT NOT NULL
);
`;

/** The live sequence when a device first refused a bundle because its agent is too old for the format. */
const eighth = `ALTER TABLE devices ADD COLUMN refused_format INTEGER;`;

/** Grace that an admin has given to a device, or to all. */
const ninth = `ALTER TABLE device_terms ADD COLUMN grace_until INTEGER;`;

export const migrations: readonly string[] = [
  first,
  second,
  third,
  fourth,
  fifth,
  sixth,
  seventh,
  eighth,
  ninth,
];
