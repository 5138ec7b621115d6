-- +goose Up

ALTER TABLE keys ADD COLUMN rate_limits TEXT COLLATE "C" NOT NULL DEFAULT '[]';

-- What keys have left, without what nodes have leased. A row stays when the credits are
-- taken away, so that the epoch never goes back. A refill amount of 0 is no refill.
CREATE TABLE credits (
	organization_id TEXT COLLATE "C" NOT NULL,
	key_number      BIGINT  NOT NULL,
	active          BOOLEAN NOT NULL,
	remaining       BIGINT  NOT NULL CHECK (remaining >= 0),
	epoch           BIGINT  NOT NULL,
	refill_amount   BIGINT  NOT NULL,
	refill_interval TEXT COLLATE "C" NOT NULL,
	anchor_ms       BIGINT  NOT NULL,
	period_ms       BIGINT  NOT NULL,
	PRIMARY KEY (organization_id, key_number)
);

-- +goose Down
SELECT 1;
