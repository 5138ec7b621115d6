package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"keyward"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// How long PostgreSQL may keep us waiting before a change is given up.
const (
	postgresPatience = 2 * time.Second
	postgresRetries  = 20 // of a transaction that lost a race with another
	postgresSessions = 32 // open at once
)

// postgresEngine runs each update in a transaction of its own. The row of head is
// locked last, so that numbers are given in the order of commits; the changes, the
// new head and the commit then travel together.
type postgresEngine struct {
	store *Store
	db    *sql.DB
}

func openPostgres(ctx context.Context, url string, s *Store) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// The driver's own text repeats the URL, which may hold a password.
		return keyward.Errorf(keyward.Invalid, "the database URL cannot be read: it must be like postgres://user:password@host:5432/database")
	}
	config.ConnectTimeout = postgresPatience
	for name, value := range map[string]string{
		"application_name":                    "keyward",
		"idle_in_transaction_session_timeout": "2s",
		"jit":                                 "off", // takes longer than any query here
		"max_parallel_workers_per_gather":     "0",   // and so do they
		"lock_timeout":                        "2s",
		"timezone":                            "UTC",
	} {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	e := &postgresEngine{store: s, db: stdlib.OpenDB(*config)}
	e.db.SetMaxOpenConns(postgresSessions)
	e.db.SetMaxIdleConns(postgresSessions)
	e.db.SetConnMaxIdleTime(5 * time.Minute)
	if err := e.prepare(ctx); err != nil {
		_ = e.db.Close()
		return keyward.Errorf(keyward.Unavailable, "open the PostgreSQL database at %s:%d: %w", config.Host, config.Port, err)
	}
	s.engine, s.reader = e, reader{steady{e.db}, e, postgresPatience}
	return nil
}

func (e *postgresEngine) prepare(ctx context.Context) error {
	var durability string
	if err := e.db.QueryRowContext(ctx, "SHOW synchronous_commit").Scan(&durability); err != nil {
		return fmt.Errorf("see whether it runs and lets this user in: %w", err)
	}
	if durability == "off" {
		return errors.New("synchronous_commit is off, which loses changes that were acknowledged: turn it on")
	}
	return migrate(ctx, e.db, "postgres")
}

func (e *postgresEngine) update(ctx context.Context, fn func(*Tx) error) ([]keyward.LogEntry, error) {
	for attempt := 0; ; attempt++ {
		entries, err := e.attempt(ctx, fn)
		if err == nil {
			return entries, e.store.announce(ctx, entries)
		}
		if !retryable(err) || attempt == postgresRetries {
			return nil, err
		}
		select {
		case <-time.After(time.Duration(rand.IntN(10*(attempt+1))) * time.Millisecond):
		case <-ctx.Done():
			return nil, e.classify(ctx.Err())
		}
	}
}

// errDisturbed says that something the transaction watched was changed by another.
var errDisturbed = errors.New("a watched thing has changed")

// undisturbed returns errDisturbed if a change up to h, whose lock the transaction
// holds, was to something that it watches. What only tells of a read or of a sign-in
// changed nothing.
func (tx *Tx) undisturbed(ctx context.Context, h head) error {
	if len(tx.watched) == 0 || h.seq == tx.since {
		return nil
	}
	var l listing
	query := "SELECT count(*) FROM changes WHERE seq > " + l.arg(tx.since) + " AND target_id IN (" + l.texts(tx.watched) + ")" +
		" AND action NOT IN (" + l.texts([]string{string(keyward.KeyRevealed), string(keyward.SessionCreated)}) + ")"
	var n int
	if err := tx.one(ctx, "no count", query, l.args, &n); err != nil {
		return err
	}
	if n > 0 {
		return errDisturbed
	}
	return nil
}

// retryable reports whether the transaction is to be run again.
func retryable(err error) bool {
	if errors.Is(err, errDisturbed) {
		return true
	}
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (failure.Code == "40001" || failure.Code == "40P01")
}

func (e *postgresEngine) attempt(ctx context.Context, fn func(*Tx) error) (_ []keyward.LogEntry, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*postgresPatience)
	defer cancel()
	conn, err := e.begin(ctx, "BEGIN")
	if err != nil {
		return nil, e.classify(err)
	}
	defer conn.Close()
	defer func() {
		if err != nil {
			rollback(conn)
		}
	}()
	defer recovered(&err)
	tx := newTx(conn, e.store)
	if err := tx.run(fn); err != nil {
		return nil, err
	}
	entries, err := e.finish(ctx, conn, tx)
	return entries, e.classify(err)
}

// begin opens a transaction on a connection of its own, which the caller closes.
func (e *postgresEngine) begin(ctx context.Context, statement string) (*sql.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, postgresPatience)
	defer cancel()
	for try := 0; ; try++ {
		conn, err := e.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		if _, err = conn.ExecContext(ctx, statement); err == nil {
			return conn, nil
		}
		_ = conn.Close()
		if !broken(ctx, err) || try == postgresSessions {
			return nil, err
		}
	}
}

// broken reports whether a connection turned out to be dead when it was used, as
// all do that were open when the database was started anew.
func broken(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil || errors.Is(err, sql.ErrConnDone) {
		return false
	}
	if failure, answered := errors.AsType[*pgconn.PgError](err); answered {
		return failure.Severity == "FATAL" && failure.Code[:3] == "57P"
	}
	_, dialed := errors.AsType[*pgconn.ConnectError](err)
	return !dialed
}

// steady reads from a pool, and passes over its dead connections.
type steady struct{ *sql.DB }

func (s steady) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	for try := 0; ; try++ {
		rows, err := s.DB.QueryContext(ctx, query, args...)
		if !broken(ctx, err) || try == postgresSessions {
			return rows, err
		}
	}
}

func (s steady) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	for try := 0; ; try++ {
		row := s.DB.QueryRowContext(ctx, query, args...)
		if !broken(ctx, row.Err()) || try == postgresSessions {
			return row
		}
	}
}

// rollback ends a failed transaction. If even that fails, the connection is given
// back in a state that the pool throws away.
func rollback(conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), postgresPatience)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		_ = conn.Raw(func(driver any) error {
			_ = driver.(*stdlib.Conn).Conn().Close(ctx)
			return nil
		})
	}
}

// finish numbers the changes, and writes them with the new head and the commit in
// one round trip. The state for replicas is read before head is locked, to hold
// the lock for less: a change to these rows by others would have waited for us.
func (e *postgresEngine) finish(ctx context.Context, conn *sql.Conn, tx *Tx) ([]keyward.LogEntry, error) {
	if len(tx.changes) == 0 {
		_, err := conn.ExecContext(ctx, "COMMIT")
		return nil, err
	}
	entries, err := tx.entries(ctx)
	if err != nil {
		return nil, err
	}
	var h head
	err = conn.QueryRowContext(ctx, "SELECT seq, mac FROM head WHERE id = 1 FOR UPDATE").Scan(&h.seq, &h.mac)
	if err != nil {
		return nil, err
	}
	if err := tx.undisturbed(ctx, h); err != nil {
		return nil, err
	}
	h, macs, err := tx.links(h)
	if err != nil {
		return nil, err
	}
	var batch pgx.Batch
	for i := range tx.changes {
		args, err := tx.changeArgs(&tx.changes[i], macs[i])
		if err != nil {
			return nil, err
		}
		batch.Queue(insertChange, args...)
		entries[i].Change = tx.changes[i]
	}
	if tx.replay != nil {
		batch.Queue(insertReplay, tx.replayArgs()...)
	}
	batch.Queue(updateHead, h.seq, h.mac)
	batch.Queue("COMMIT")
	err = conn.Raw(func(driver any) error {
		return driver.(*stdlib.Conn).Conn().SendBatch(ctx, &batch).Close()
	})
	if err == nil {
		return entries, nil
	}
	if _, answered := errors.AsType[*pgconn.PgError](err); answered {
		return nil, err
	}
	return nil, keyward.Errorf(keyward.Unavailable,
		"the database went away during the commit: the change may or may not have been made: %w", err)
}

func (e *postgresEngine) snapshot(ctx context.Context, fn func(reader) error) error {
	conn, err := e.begin(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	if err != nil {
		return e.classify(err)
	}
	defer conn.Close()
	defer rollback(conn)
	return fn(reader{q: conn, engine: e})
}

// relax: the memory is the database's.
func (e *postgresEngine) relax(context.Context, reader) {}

func (e *postgresEngine) classify(err error) error {
	if err, ours := classified(err); ours {
		return err
	}
	failure, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return keyward.Errorf(keyward.Unavailable, "the database did not answer: %w", err)
	}
	switch class := failure.Code[:2]; {
	case failure.Code == "23505":
		return keyward.Errorf(keyward.Conflict, "%s: %w", conflictText(failure.ConstraintName), err)
	case failure.Code == "23503":
		return keyward.Errorf(keyward.NotFound, "%s: %w", noOrganization, err)
	case retryable(err): // seen again by update, and run again
		return keyward.Errorf(keyward.Unavailable, "the database is too busy with others: %w", err)
	case class == "08", class == "53", class == "57", class == "58", class == "25",
		failure.Code == "55P03":
		return keyward.Errorf(keyward.Unavailable, "the database cannot be written or read: %w", err)
	}
	return keyward.Errorf(keyward.Internal, "database: %w", fmt.Errorf("%s (%s)", failure.Message, failure.Code))
}

func (e *postgresEngine) locking() string { return " FOR UPDATE" }

// estimates: autovacuum keeps statistics.
func (e *postgresEngine) estimates() bool { return true }

func (e *postgresEngine) unindexed(column string) string { return column }

func (e *postgresEngine) indexed(table, _ string) string { return table }

// planned: a prepared statement is soon planned for any values, which for a list is
// often the wrong plan. Texts with many arguments are not even remembered: there is
// no end of them, and they are long.
func (e *postgresEngine) planned(args []any) []any {
	mode := pgx.QueryExecModeCacheDescribe
	if len(args) > 50 {
		mode = pgx.QueryExecModeDescribeExec
	}
	return append([]any{mode}, args...)
}

func (e *postgresEngine) close() error { return e.db.Close() }
