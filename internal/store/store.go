// Package store keeps Keyward's state in SQLite or PostgreSQL: one contract, one
// portable SQL, and an unexported engine for what differs.
//
// It keeps and finds; it decides nothing. Whether an actor may do something, or a
// key is well formed, was settled by its caller. What it promises itself is
// identity and uniqueness, that a change is committed whole or not at all, and that
// the log of changes has no gap and is in the order of commits.
//
// Every error is a [keyward.Error]: NotFound for a row that is not there or is a
// tombstone, Conflict for one that is there already, Invalid for text that cannot be
// kept, Unavailable when the database is away. All methods are safe for concurrent
// use.
package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"keyward"
)

// Store is an open database.
type Store struct {
	reader
	engine engine
	config Config

	spanSize int64 // how many keys a snapshot reads at a time
}

// Config is what a store needs of its surroundings.
type Config struct {
	// Chain returns the link of an audit event: the MAC of the previous link and
	// the event. KeyID names the key that it uses.
	Chain      func(previous, event []byte) []byte
	ChainKeyID string

	// Committed, if set, is called with each change after its commit and before
	// Update returns, in order of seq on SQLite and in any order on PostgreSQL. An
	// error of it is the error of Update, although the change is durable.
	Committed func(context.Context, keyward.LogEntry) error

	// Settle, if set, returns once the replica takes the change seq into account.
	Settle func(ctx context.Context, seq int64) error
}

// engine is what differs between the databases.
type engine interface {
	// update runs fn in a transaction, followed by tx.finish, and commits.
	update(ctx context.Context, fn func(*Tx) error) ([]keyward.LogEntry, error)
	// snapshot runs fn on one consistent state of the database.
	snapshot(ctx context.Context, fn func(reader) error) error
	// relax gives back the memory that a snapshot took which read everything.
	relax(ctx context.Context, r reader)
	// classify turns an error of the driver into a keyward.Error.
	classify(error) error
	// locking is what a SELECT ends in to keep the row from others until the commit.
	locking() string
	// estimates reports whether the planner knows how many rows a condition leaves.
	estimates() bool
	// unindexed returns the column such that a planner that does not know does not
	// choose an index for it.
	unindexed(column string) string
	// indexed returns a table such that a planner that does not know uses the index.
	indexed(table, index string) string
	// planned returns the arguments of a query such that it is planned for their values.
	planned(args []any) []any
	close() error
}

// Open opens the database at url, "sqlite:PATH" or "postgres://…", and brings its
// schema up to date. A database of a newer schema is refused.
func Open(ctx context.Context, url string, config Config) (*Store, error) {
	s := &Store{config: config, spanSize: keysInASpan}
	var err error
	switch path, isFile := strings.CutPrefix(url, "sqlite:"); {
	case isFile:
		err = openSQLite(ctx, path, s)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		err = openPostgres(ctx, url, s)
	default:
		err = keyward.Errorf(keyward.Invalid, "the database is neither sqlite:PATH nor postgres://…")
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Close ends running transactions and closes the database.
func (s *Store) Close() error { return s.engine.close() }

// Update runs fn in one transaction and commits what it did, with the changes that
// it recorded, if it returns nil. It returns the first recorded change, or a zero
// one if there was none.
//
// fn may run more than once, and must not wait for anything but its transaction:
// on SQLite others share it. A statement that fails ends the transaction: its error
// is Update's even if fn ignores it. A panic of fn is an Internal error. A commit
// whose outcome is unknown is Unavailable.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) (keyward.Change, error) {
	entries, err := s.engine.update(ctx, fn)
	if err != nil || len(entries) == 0 {
		return keyward.Change{}, err
	}
	return entries[0].Change, nil
}

// announce tells the replica of what was committed.
func (s *Store) announce(ctx context.Context, entries []keyward.LogEntry) error {
	if s.config.Committed == nil {
		return nil
	}
	for _, entry := range entries {
		if err := s.config.Committed(ctx, entry); err != nil {
			return err
		}
	}
	return nil
}

// Settled returns the seq of the newest change, once the replica takes it into
// account. It is for answers that rest on a change which somebody else made, and
// which may not have been announced yet.
func (s *Store) Settled(ctx context.Context) (int64, error) {
	seq, err := s.Head(ctx)
	if err == nil && s.config.Settle != nil {
		err = s.config.Settle(ctx, seq)
	}
	return seq, err
}

// View runs fn on one consistent state of the database.
func (s *Store) View(ctx context.Context, fn func(*View) error) error {
	return s.engine.snapshot(ctx, func(r reader) error {
		r.patience = s.patience
		return fn(&View{r})
	})
}

// View reads one consistent state.
type View struct{ reader }

// queries is what database connections and pools have in common.
type queries interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// reader holds the methods that read, for the store, its views and transactions.
type reader struct {
	q      queries
	engine engine
	// patience is how long one query may take, so that neither a database that hangs
	// nor a list that asks for too much holds anybody up for longer; 0 is for ever.
	patience time.Duration
}

func (r reader) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.patience == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, r.patience)
}

// one scans the only row of a query; there being none is NotFound with the words.
func (r reader) one(ctx context.Context, missing, query string, args []any, into ...any) error {
	if !storable(args) {
		return keyward.Errorf(keyward.NotFound, "%s", missing)
	}
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	err := r.q.QueryRowContext(ctx, query, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return keyward.Errorf(keyward.NotFound, "%s", missing)
	}
	return r.engine.classify(err)
}

// each calls fn for each row of a query.
func (r reader) each(ctx context.Context, query string, args []any, fn func(scan func(...any) error) error) error {
	if !storable(args) {
		return nil
	}
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	rows, err := r.q.QueryContext(ctx, query, args...)
	if err != nil {
		return r.engine.classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return r.engine.classify(err)
		}
	}
	return r.engine.classify(rows.Err())
}

// exec runs a statement and returns how many rows it touched.
func (r reader) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if !storable(args) {
		return 0, keyward.Errorf(keyward.Invalid, "text that is not UTF-8, or holds the character U+0000, cannot be kept")
	}
	result, err := r.q.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, r.engine.classify(err)
	}
	n, err := result.RowsAffected()
	return n, r.engine.classify(err)
}

// execOne runs a statement that must touch exactly one row; none is NotFound with
// the words.
func (r reader) execOne(ctx context.Context, missing, query string, args ...any) error {
	n, err := r.exec(ctx, query, args...)
	switch {
	case err != nil:
		return err
	case n == 0:
		return keyward.Errorf(keyward.NotFound, "%s", missing)
	case n > 1:
		return keyward.Errorf(keyward.Internal, "a statement for one row touched %d", n)
	}
	return nil
}

// storable reports whether both databases can hold the texts. No row matches one
// that they cannot.
func storable(args []any) bool {
	for _, arg := range args {
		if s, ok := arg.(string); ok && (strings.ContainsRune(s, 0) || !utf8.ValidString(s)) {
			return false
		}
	}
	return true
}

// classified passes errors that are ours already, and nil.
func classified(err error) (error, bool) {
	if err == nil {
		return nil, true
	}
	_, ours := errors.AsType[*keyward.Error](err)
	return err, ours
}
