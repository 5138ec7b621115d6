-- +goose Up

-- What only one vendor's clients know of an organization, kept for them as JSON.
ALTER TABLE organizations ADD COLUMN profile TEXT COLLATE "C" NOT NULL DEFAULT '{}';
-- The number of the last role; the first one of an organization's own is 1001.
ALTER TABLE organizations ADD COLUMN last_role BIGINT NOT NULL DEFAULT 1000;

-- Whom a key acts for: the e-mail address of the person who made it, or else whoever
-- made it. Keys inherit it from keys.
ALTER TABLE keys ADD COLUMN api_user TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN api_user_folded TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE keys SET api_user = created_by, api_user_folded = lower(created_by);

-- What vendors' lists are sorted and filtered by. Each index holds all of it, so that
-- the entries of a long list are counted and passed over without being read.
DROP INDEX keys_name;
DROP INDEX keys_type;
DROP INDEX keys_created;
DROP INDEX keys_updated;
CREATE INDEX keys_id        ON keys (organization_id, id, number) INCLUDE (revoked_ms, type, created_ms, updated_ms, name_folded, api_user_folded) WHERE deleted_ms = 0;
CREATE INDEX keys_name      ON keys (organization_id, name_folded, number) INCLUDE (revoked_ms, type, created_ms, updated_ms, api_user_folded, id) WHERE deleted_ms = 0;
CREATE INDEX keys_type      ON keys (organization_id, type, number) INCLUDE (revoked_ms, created_ms, updated_ms, name_folded, api_user_folded, id) WHERE deleted_ms = 0;
CREATE INDEX keys_api_user  ON keys (organization_id, api_user_folded, number) INCLUDE (revoked_ms, type, created_ms, updated_ms, name_folded, id) WHERE deleted_ms = 0;
CREATE INDEX keys_created   ON keys (organization_id, created_ms, number) INCLUDE (revoked_ms, type, updated_ms, name_folded, api_user_folded, id) WHERE deleted_ms = 0;
CREATE INDEX keys_updated   ON keys (organization_id, updated_ms, number) INCLUDE (revoked_ms, type, created_ms, name_folded, api_user_folded, id) WHERE deleted_ms = 0;
-- It finds few rows, so it need not hold the rest.
CREATE INDEX keys_id_folded ON keys (organization_id, lower(id), number) WHERE deleted_ms = 0;

-- A deleted role stays as a tombstone, so that its number is never used again.
CREATE TABLE roles (
	organization_id TEXT COLLATE "C"    NOT NULL REFERENCES organizations (id),
	number          BIGINT  NOT NULL,
	name            TEXT COLLATE "C"    NOT NULL,
	name_folded     TEXT COLLATE "C"    NOT NULL,
	description     TEXT COLLATE "C"    NOT NULL,
	management      TEXT COLLATE "C"    NOT NULL,
	enabled         BOOLEAN NOT NULL,
	created_by      TEXT COLLATE "C"    NOT NULL,
	created_ms      BIGINT  NOT NULL,
	updated_ms      BIGINT  NOT NULL,
	deleted_ms      BIGINT  NOT NULL DEFAULT 0,
	PRIMARY KEY (organization_id, number)
);

-- The hash of a person's password, in the PHC string format; '' if there is none.
ALTER TABLE operators ADD COLUMN password TEXT COLLATE "C" NOT NULL DEFAULT '';
-- Counts up when everything that was issued to a person ends, such as with the password.
ALTER TABLE operators ADD COLUMN generation BIGINT NOT NULL DEFAULT 1;

-- Access tokens that were revoked before they expired.
CREATE TABLE revoked_tokens (
	id        TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
	expire_ms BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_expire ON revoked_tokens (expire_ms);

-- How often somebody tried to sign in lately. The subject is a hash, of an account or
-- of an address.
CREATE TABLE signin_attempts (
	subject   BYTEA  NOT NULL PRIMARY KEY,
	count     BIGINT NOT NULL,
	reset_ms  BIGINT NOT NULL
);
CREATE INDEX signin_attempts_reset ON signin_attempts (reset_ms);

-- +goose Down
SELECT 1;
