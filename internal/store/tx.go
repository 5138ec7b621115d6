package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"

	"keyward"
)

// Tx is a transaction. Its methods are for the goroutine that it was given to.
type Tx struct {
	reader
	config  *Config
	changes []keyward.Change
	replay  *Replay

	watched []string // see Watch
	since   int64    // the head when it began
}

// newTx returns a transaction that runs its statements on q.
func newTx(q queries, s *Store) *Tx {
	return &Tx{reader: reader{q: &strict{queries: q}, engine: s.engine}, config: &s.config}
}

// Record adds a change to the transaction. Its seq and link are set at the commit.
func (tx *Tx) Record(change keyward.Change) {
	// As they are read again, or the chain would not fit.
	change.OrganizationID = optional(text(change.OrganizationID))
	change.IP, change.RequestID = optional(text(change.IP)), optional(text(change.RequestID))
	tx.changes = append(tx.changes, change)
}

// Watch makes the transaction run again if, until its commit, another one changes
// any of the things with these ids. What is read of them after this call is then as
// it is at the commit. Where transactions exclude each other it has nothing to do.
func (tx *Tx) Watch(ctx context.Context, ids ...string) error {
	if tx.engine.locking() == "" {
		return nil
	}
	tx.watched = ids
	return tx.one(ctx, "the database has no head", "SELECT seq FROM head WHERE id = 1", nil, &tx.since)
}

// run calls fn. An error of a statement counts even if fn ignored it.
func (tx *Tx) run(fn func(*Tx) error) error {
	if err := fn(tx); err != nil {
		return err
	}
	return tx.engine.classify(tx.q.(*strict).failed)
}

// strict remembers that a statement failed. On PostgreSQL that is the end of the
// transaction, so it is on SQLite.
type strict struct {
	queries
	failed error
}

func (s *strict) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	result, err := s.queries.ExecContext(ctx, query, args...)
	s.note(err)
	return result, err
}

func (s *strict) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := s.queries.QueryContext(ctx, query, args...)
	s.note(err)
	return rows, err
}

func (s *strict) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	row := s.queries.QueryRowContext(ctx, query, args...)
	s.note(row.Err())
	return row
}

func (s *strict) note(err error) {
	if s.failed == nil {
		s.failed = err
	}
}

// recovered makes an error of a panic; it is to be deferred. What the panic says is
// for logs only.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = keyward.Errorf(keyward.Internal, "a transaction panicked: %w", fmt.Errorf("%v\n%s", p, debug.Stack()))
	}
}

// head is the end of the change log.
type head struct {
	seq int64
	mac []byte
}

// links gives the recorded changes their numbers and links, after h.
func (tx *Tx) links(h head) (head, [][]byte, error) {
	macs := make([][]byte, len(tx.changes))
	for i := range tx.changes {
		change := &tx.changes[i]
		h.seq++
		change.Seq = h.seq
		event, err := chained(*change)
		if err != nil {
			return h, nil, err
		}
		h.mac = tx.config.Chain(h.mac, event)
		change.MAC = hex.EncodeToString(h.mac)
		macs[i] = h.mac
	}
	return h, macs, nil
}

// chained returns the bytes of an event that its link covers: all but the link.
func chained(change keyward.Change) ([]byte, error) {
	change.MAC = ""
	return json.Marshal(change)
}

const insertChange = `INSERT INTO changes (seq, id, time_ms, action, outcome, actor_type, actor_id,
	actor_name, organization_id, target_type, target_id, ip, request_id, detail, mac, mac_key_id)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`

const updateHead = `UPDATE head SET seq = $1, mac = $2 WHERE id = 1`

// changeArgs returns the arguments of insertChange.
func (tx *Tx) changeArgs(c *keyward.Change, mac []byte) ([]any, error) {
	var detail bytes.Buffer // with "<" as it was written
	encoder := json.NewEncoder(&detail)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(c.Changes); err != nil {
		return nil, err
	}
	return []any{
		c.Seq, c.ID, int64(c.Time), string(c.Action), c.Outcome, string(c.Actor.Type), c.Actor.ID,
		c.Actor.Name, text(c.OrganizationID), c.Target.Type, c.Target.ID, text(c.IP), text(c.RequestID),
		strings.TrimSpace(detail.String()), mac, tx.config.ChainKeyID,
	}, nil
}

// entries returns the recorded changes with the state that replicas need.
func (tx *Tx) entries(ctx context.Context) ([]keyward.LogEntry, error) {
	entries := make([]keyward.LogEntry, len(tx.changes))
	for i, change := range tx.changes {
		records, err := tx.records(ctx, change)
		if err != nil {
			return nil, err
		}
		entries[i] = keyward.LogEntry{Change: change, Records: records}
	}
	return entries, nil
}

// text returns what p points to, and "" for nil: how absent text is stored.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// optional is the reverse of text.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
