-- +goose Up

-- How often a verification had an answer, by key and hour. Of a key that was deleted it
-- stays. The order is that of the questions: how was this key used, since when?
CREATE TABLE usage_keys (
	organization_id TEXT   NOT NULL,
	key_id          TEXT   NOT NULL,
	hour_ms         BIGINT NOT NULL,
	reason          TEXT   NOT NULL,
	count           BIGINT NOT NULL,
	PRIMARY KEY (organization_id, key_id, hour_ms, reason)
) WITHOUT ROWID;
CREATE INDEX usage_keys_hour ON usage_keys (hour_ms);

-- The same of all keys of an organization together.
CREATE TABLE usage_totals (
	organization_id TEXT   NOT NULL,
	hour_ms         BIGINT NOT NULL,
	reason          TEXT   NOT NULL,
	count           BIGINT NOT NULL,
	PRIMARY KEY (organization_id, hour_ms, reason)
) WITHOUT ROWID;
CREATE INDEX usage_totals_hour ON usage_totals (hour_ms);

-- The last batch of counts that each server has added, so that none is added twice.
CREATE TABLE usage_writers (
	writer   TEXT   NOT NULL PRIMARY KEY,
	batch    BIGINT NOT NULL,
	added_ms BIGINT NOT NULL
);

-- The block of addresses that a key was last used from; '' if that is not known.
ALTER TABLE keys ADD COLUMN last_used_ip TEXT NOT NULL DEFAULT '';

-- +goose Down
SELECT 1;
