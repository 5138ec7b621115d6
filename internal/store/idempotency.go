package store

import (
	"context"

	"keyward"
)

// Replay is the stored answer to a request that carried an idempotency key. Who
// asked, what for and the key's hash are its identity.
type Replay struct {
	Actor       string
	Operation   string // method and path
	HeaderHash  [32]byte
	Fingerprint [32]byte // of the request's body
	Sealed      []byte   // the answer, which only the header's value opens
	Seq         int64    // of the change that was made
	CreatedTime keyward.Time
}

// Replay completes the answer of the given identity; there being none is NotFound.
func (r reader) Replay(ctx context.Context, of Replay) (Replay, error) {
	var fingerprint []byte
	err := r.one(ctx, "no such answer", `SELECT fingerprint, sealed, seq, created_ms FROM idempotency
		WHERE actor = $1 AND operation = $2 AND header_hash = $3`,
		[]any{of.Actor, of.Operation, of.HeaderHash[:]}, &fingerprint, &of.Sealed, &of.Seq, &of.CreatedTime)
	copy(of.Fingerprint[:], fingerprint)
	return of, err
}

// Keep keeps an answer with the transaction's first change. One of the same identity
// makes the transaction a Conflict.
func (tx *Tx) Keep(replay Replay) { tx.replay = &replay }

const insertReplay = `INSERT INTO idempotency (actor, operation, header_hash, fingerprint, sealed, seq, created_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7)`

// replayArgs returns the arguments of insertReplay, once the changes have their seq.
func (tx *Tx) replayArgs() []any {
	replay := tx.replay
	return []any{
		replay.Actor, replay.Operation, replay.HeaderHash[:], replay.Fingerprint[:], replay.Sealed,
		tx.changes[0].Seq, int64(replay.CreatedTime),
	}
}

// DropReplays forgets answers made before the instant.
func (tx *Tx) DropReplays(ctx context.Context, before keyward.Time) error {
	_, err := tx.exec(ctx, "DELETE FROM idempotency WHERE created_ms < $1", int64(before))
	return err
}

// DropReplay forgets one answer, which is too old to be given again.
func (tx *Tx) DropReplay(ctx context.Context, of Replay) error {
	_, err := tx.exec(ctx, "DELETE FROM idempotency WHERE actor = $1 AND operation = $2 AND header_hash = $3",
		of.Actor, of.Operation, of.HeaderHash[:])
	return err
}
