-- +goose Up

-- One row a fact about this database, such as the id of its master key.
CREATE TABLE meta (
	name  TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
);

-- The end of the change log: its last number and the last link of the chain. One row.
CREATE TABLE head (
	id  BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	seq BIGINT NOT NULL,
	mac BLOB   NOT NULL
);
INSERT INTO head (id, seq, mac) VALUES (1, 0, '');

-- Times are milliseconds; 0 is "not set". Text that is compared without regard to
-- letter case has a folded twin, computed by the program.
CREATE TABLE organizations (
	id          TEXT    NOT NULL PRIMARY KEY,
	public_id   TEXT    NOT NULL UNIQUE,
	name        TEXT    NOT NULL,
	name_folded TEXT    NOT NULL,
	prefix      TEXT    NOT NULL,
	recoverable BOOLEAN NOT NULL,
	enabled     BOOLEAN NOT NULL,
	last_number BIGINT  NOT NULL DEFAULT 0,
	created_ms  BIGINT  NOT NULL,
	updated_ms  BIGINT  NOT NULL,
	deleted_ms  BIGINT  NOT NULL DEFAULT 0
);

CREATE TABLE projects (
	organization_id TEXT   NOT NULL REFERENCES organizations (id),
	id              TEXT   NOT NULL UNIQUE,
	public_id       TEXT   NOT NULL UNIQUE,
	name            TEXT   NOT NULL,
	name_folded     TEXT   NOT NULL,
	created_ms      BIGINT NOT NULL,
	updated_ms      BIGINT NOT NULL,
	deleted_ms      BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (organization_id, id)
);

-- A deleted key stays as a tombstone, so that its id, number, client id and digests
-- are never used again.
CREATE TABLE keys (
	organization_id TEXT    NOT NULL REFERENCES organizations (id),
	id              TEXT    NOT NULL,
	number          BIGINT  NOT NULL,
	client_id       TEXT    NOT NULL UNIQUE,
	name            TEXT    NOT NULL,
	name_folded     TEXT    NOT NULL,
	type            TEXT    NOT NULL,
	environment     TEXT    NOT NULL,
	hint            TEXT    NOT NULL,
	acl             TEXT    NOT NULL,
	management      TEXT    NOT NULL,
	allowed_ips     TEXT    NOT NULL,
	owner_id        TEXT    NOT NULL,
	owner_folded    TEXT    NOT NULL,
	metadata        TEXT    NOT NULL,
	enabled         BOOLEAN NOT NULL,
	start_ms        BIGINT  NOT NULL,
	expire_ms       BIGINT  NOT NULL,
	revoked_ms      BIGINT  NOT NULL DEFAULT 0,
	revoke_reason   TEXT    NOT NULL DEFAULT '',
	role_id         BIGINT  NOT NULL DEFAULT 0,
	created_by      TEXT    NOT NULL,
	created_ms      BIGINT  NOT NULL,
	updated_ms      BIGINT  NOT NULL,
	last_used_ms    BIGINT  NOT NULL DEFAULT 0,
	revision        BIGINT  NOT NULL,
	deleted_ms      BIGINT  NOT NULL DEFAULT 0,
	PRIMARY KEY (organization_id, id),
	UNIQUE (organization_id, number)
);

-- What lists of keys are sorted and filtered by. Tombstones are in none of them.
CREATE INDEX keys_name        ON keys (organization_id, name_folded,  number) WHERE deleted_ms = 0;
CREATE INDEX keys_created     ON keys (organization_id, created_ms,   number) WHERE deleted_ms = 0;
CREATE INDEX keys_updated     ON keys (organization_id, updated_ms,   number) WHERE deleted_ms = 0;
CREATE INDEX keys_start      ON keys (organization_id, start_ms,     number) WHERE deleted_ms = 0;
CREATE INDEX keys_expire      ON keys (organization_id, expire_ms,    number) WHERE deleted_ms = 0;
CREATE INDEX keys_last_used   ON keys (organization_id, last_used_ms, number) WHERE deleted_ms = 0;
CREATE INDEX keys_revoked     ON keys (organization_id, revoked_ms,   number) WHERE deleted_ms = 0;
CREATE INDEX keys_enabled     ON keys (organization_id, enabled,      number) WHERE deleted_ms = 0;
CREATE INDEX keys_type        ON keys (organization_id, type,         number) WHERE deleted_ms = 0;
CREATE INDEX keys_environment ON keys (organization_id, environment,  number) WHERE deleted_ms = 0;
CREATE INDEX keys_owner       ON keys (organization_id, owner_folded, number) WHERE deleted_ms = 0;
CREATE INDEX keys_created_by  ON keys (organization_id, created_by,   number) WHERE deleted_ms = 0;

CREATE TABLE key_versions (
	organization_id TEXT   NOT NULL,
	key_number      BIGINT NOT NULL,
	version         BIGINT NOT NULL,
	digest          BLOB   NOT NULL UNIQUE,
	pepper_id       TEXT   NOT NULL,
	hint            TEXT   NOT NULL,
	created_ms      BIGINT NOT NULL,
	expire_ms       BIGINT NOT NULL,
	last_used_ms    BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (organization_id, key_number, version)
) WITHOUT ROWID;

-- The encrypted secrets of recoverable organizations.
CREATE TABLE key_secrets (
	organization_id TEXT   NOT NULL,
	key_number      BIGINT NOT NULL,
	version         BIGINT NOT NULL,
	wrapping_id     TEXT   NOT NULL,
	wrapped         BLOB   NOT NULL,
	sealed          BLOB   NOT NULL,
	PRIMARY KEY (organization_id, key_number, version)
) WITHOUT ROWID;

-- A row outlives its project, whose tombstone ends the membership.
CREATE TABLE key_projects (
	organization_id TEXT   NOT NULL,
	project_id      TEXT   NOT NULL,
	key_number      BIGINT NOT NULL,
	PRIMARY KEY (organization_id, project_id, key_number)
) WITHOUT ROWID;
CREATE INDEX key_projects_key ON key_projects (organization_id, key_number);

CREATE TABLE operators (
	id              TEXT    NOT NULL PRIMARY KEY,
	name            TEXT    NOT NULL,
	name_folded     TEXT    NOT NULL,
	role            TEXT    NOT NULL,
	organization_id TEXT    NOT NULL,
	email           TEXT    NOT NULL,
	email_folded    TEXT    NOT NULL,
	enabled         BOOLEAN NOT NULL,
	digest          BLOB    NOT NULL UNIQUE,
	pepper_id       TEXT    NOT NULL,
	hint            TEXT    NOT NULL,
	created_by      TEXT    NOT NULL,
	created_ms      BIGINT  NOT NULL,
	updated_ms      BIGINT  NOT NULL,
	last_used_ms    BIGINT  NOT NULL DEFAULT 0,
	deleted_ms      BIGINT  NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX operators_email ON operators (email_folded) WHERE email_folded <> '' AND deleted_ms = 0;

-- The change log, which is the audit trail.
CREATE TABLE changes (
	seq             BIGINT NOT NULL PRIMARY KEY,
	id              TEXT   NOT NULL,
	time_ms         BIGINT NOT NULL,
	action          TEXT   NOT NULL,
	outcome         TEXT   NOT NULL,
	actor_type      TEXT   NOT NULL,
	actor_id        TEXT   NOT NULL,
	actor_name      TEXT   NOT NULL,
	organization_id TEXT   NOT NULL,
	target_type     TEXT   NOT NULL,
	target_id       TEXT   NOT NULL,
	ip              TEXT   NOT NULL,
	request_id      TEXT   NOT NULL,
	detail          TEXT   NOT NULL,
	mac             BLOB   NOT NULL,
	mac_key_id      TEXT   NOT NULL
);
CREATE INDEX changes_organization ON changes (organization_id, seq);

-- Answers to requests that carried an idempotency key, sealed under that key.
CREATE TABLE idempotency (
	actor       TEXT   NOT NULL,
	operation   TEXT   NOT NULL,
	header_hash BLOB   NOT NULL,
	fingerprint BLOB   NOT NULL,
	sealed      BLOB   NOT NULL,
	seq         BIGINT NOT NULL,
	created_ms  BIGINT NOT NULL,
	PRIMARY KEY (actor, operation, header_hash)
) WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created_ms);

-- +goose Down
SELECT 1;
