package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"keyward"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// oldestSQLite is the first version without a race that can corrupt the
// write-ahead log (sqlite.org/wal.html, "The WAL-Reset Bug").
const oldestSQLite = "3.51.3"

// maxGroup bounds how many updates share one commit.
const maxGroup = 256

// sqlitePatience is how long a query may keep one of the few readers from others.
const sqlitePatience = 10 * time.Second

// sqliteEngine has one connection that writes, and several that read. Updates that
// wait while another commits are committed together, each behind a savepoint of
// its own: one sync of the disk then serves them all.
type sqliteEngine struct {
	store   *Store
	readers *sql.DB
	writers *sql.DB
	writer  *statements

	queue  chan *update
	closed chan struct{} // no more updates are taken
	done   chan struct{} // the writing goroutine has ended
	once   sync.Once     // of closing
	failed error         // of closing
}

// update is one call of Update on its way through the writing goroutine.
type update struct {
	ctx     context.Context
	fn      func(*Tx) error
	entries []keyward.LogEntry
	err     error
	done    chan struct{}
}

func openSQLite(ctx context.Context, path string, s *Store) error {
	e := &sqliteEngine{
		store: s,
		queue: make(chan *update, maxGroup), closed: make(chan struct{}), done: make(chan struct{}),
	}
	if err := e.open(ctx, path); err != nil {
		_ = e.closeFiles()
		return keyward.Errorf(keyward.Unavailable, "open the SQLite database %s: %w", path, err)
	}
	s.engine, s.reader = e, reader{newStatements(e.readers), e, sqlitePatience}
	go e.write()
	return nil
}

func (e *sqliteEngine) open(ctx context.Context, path string) (err error) {
	if path == "" {
		return errors.New("the path is empty")
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	if err := makePrivate(path); err != nil {
		return err
	}
	const common = "?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=trusted_schema(0)"
	file := "file:" + (&url.URL{Path: path}).EscapedPath() + common
	write := file + "&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(1)" +
		"&_pragma=journal_size_limit(67108864)&_pragma=cache_size(-32768)&_pragma=temp_store(MEMORY)"
	if e.writers, err = sql.Open("sqlite", write); err != nil {
		return err
	}
	e.writers.SetMaxOpenConns(1)
	var version, mode string
	if err := e.writers.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if olderVersion(version, oldestSQLite) {
		return fmt.Errorf("SQLite %s can corrupt its log; %s or newer is needed", version, oldestSQLite)
	}
	if err := e.writers.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the file system does not allow a write-ahead log (journal mode is %q)", mode)
	}
	if err := migrate(ctx, e.writers, "sqlite"); err != nil {
		return err
	}
	conn, err := e.writers.Conn(ctx)
	if err != nil {
		return err
	}
	e.writer = newStatements(conn)
	e.writer.whole = true
	if e.readers, err = sql.Open("sqlite", file+"&_pragma=query_only(1)&_pragma=cache_size(-16384)"); err != nil {
		return err
	}
	e.readers.SetMaxOpenConns(max(4, runtime.NumCPU()))
	e.readers.SetMaxIdleConns(max(4, runtime.NumCPU()))
	return nil
}

// makePrivate makes the file, if there is none, for the eyes of its owner only. The
// files that SQLite makes beside it take after it.
func makePrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// olderVersion compares dotted versions number by number.
func olderVersion(version, than string) bool {
	return slices.Compare(versionNumbers(version), versionNumbers(than)) < 0
}

func versionNumbers(version string) []int {
	var numbers []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		numbers = append(numbers, n)
	}
	return numbers
}

func (e *sqliteEngine) update(ctx context.Context, fn func(*Tx) error) ([]keyward.LogEntry, error) {
	u := &update{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case e.queue <- u:
	case <-e.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, keyward.Errorf(keyward.Unavailable, "the database is busy: %w", ctx.Err())
	}
	// Once queued, the outcome is awaited: a change may not be committed behind
	// the back of a caller who was told that it was not.
	select {
	case <-u.done:
		return u.entries, u.err
	case <-e.done:
		select {
		case <-u.done:
			return u.entries, u.err
		default:
			return nil, errClosed
		}
	}
}

var errClosed = keyward.Errorf(keyward.Unavailable, "the server is stopping")

// write runs updates in groups until the engine is closed.
func (e *sqliteEngine) write() {
	defer close(e.done)
	for {
		select {
		case u := <-e.queue:
			e.commit(e.gather(u))
		case <-e.closed:
			for len(e.queue) > 0 {
				e.commit(e.gather(<-e.queue))
			}
			return
		}
	}
}

// gather returns first and what else is waiting.
func (e *sqliteEngine) gather(first *update) []*update {
	group := []*update{first}
	for len(group) < maxGroup {
		select {
		case u := <-e.queue:
			group = append(group, u)
		default:
			return group
		}
	}
	return group
}

// commit runs a group in one transaction and wakes its callers.
func (e *sqliteEngine) commit(group []*update) {
	ctx := context.Background()
	if err := e.transact(ctx, group); err != nil {
		_, _ = e.writer.ExecContext(ctx, "ROLLBACK")
		for _, u := range group {
			if u.err == nil {
				u.entries, u.err = nil, err
			}
		}
	}
	for _, u := range group {
		if u.err == nil {
			u.err = e.store.announce(u.ctx, u.entries)
		}
		close(u.done)
	}
}

// transact runs the updates and commits those that did not fail.
func (e *sqliteEngine) transact(ctx context.Context, group []*update) error {
	r := reader{q: e.writer, engine: e}
	if _, err := r.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	h, err := readHead(ctx, r)
	if err != nil {
		return err
	}
	start := h.seq
	for _, u := range group {
		if err := e.isolate(ctx, r, u, &h); err != nil {
			return err
		}
	}
	if h.seq != start {
		if _, err := r.exec(ctx, updateHead, h.seq, h.mac); err != nil {
			return err
		}
	}
	_, err = r.exec(ctx, "COMMIT")
	return err
}

// isolate runs an update behind a savepoint, and leaves nothing of it if it fails.
// Its own error is that the group cannot go on.
func (e *sqliteEngine) isolate(ctx context.Context, r reader, u *update, h *head) error {
	if _, err := r.exec(ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	before := *h
	if u.err = e.run(ctx, u, h); u.err != nil {
		*h = before
		if _, err := r.exec(ctx, "ROLLBACK TO one"); err != nil {
			// A full disk, for one, has ended the transaction by itself.
			return keyward.Errorf(keyward.Unavailable, "the database gave up the transaction: %w", u.err)
		}
	}
	_, err := r.exec(ctx, "RELEASE one")
	return err
}

// run runs one update and writes its changes after h.
func (e *sqliteEngine) run(ctx context.Context, u *update, h *head) (err error) {
	defer recovered(&err)
	if err := u.ctx.Err(); err != nil {
		return keyward.Errorf(keyward.Unavailable, "the caller has gone: %w", err)
	}
	tx := newTx(e.writer, e.store)
	if err := tx.run(u.fn); err != nil {
		return err
	}
	next, macs, err := tx.links(*h)
	if err != nil {
		return err
	}
	for i := range tx.changes {
		args, err := tx.changeArgs(&tx.changes[i], macs[i])
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, insertChange, args...); err != nil {
			return err
		}
	}
	if tx.replay != nil && len(tx.changes) > 0 {
		if _, err := tx.exec(ctx, insertReplay, tx.replayArgs()...); err != nil {
			return err
		}
	}
	if u.entries, err = tx.entries(ctx); err != nil {
		return err
	}
	*h = next
	return nil
}

func readHead(ctx context.Context, r reader) (head, error) {
	var h head
	err := r.one(ctx, "the database has no head", "SELECT seq, mac FROM head WHERE id = 1", nil, &h.seq, &h.mac)
	return h, err
}

func (e *sqliteEngine) snapshot(ctx context.Context, fn func(reader) error) error {
	tx, err := e.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return e.classify(err)
	}
	defer func() { _ = tx.Rollback() }()
	return fn(reader{q: tx, engine: e})
}

// relax empties the connection's page cache, as far as SQLite can do without it.
func (e *sqliteEngine) relax(ctx context.Context, r reader) {
	_, _ = r.q.ExecContext(ctx, "PRAGMA shrink_memory")
}

func (e *sqliteEngine) classify(err error) error {
	if err, ours := classified(err); ours {
		return err
	}
	failure, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return keyward.Errorf(keyward.Unavailable, "the database did not answer: %w", err)
	}
	switch code := failure.Code(); {
	case code == lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return keyward.Errorf(keyward.NotFound, "%s: %w", noOrganization, err)
	case code == lib.SQLITE_CONSTRAINT_UNIQUE || code == lib.SQLITE_CONSTRAINT_PRIMARYKEY:
		return keyward.Errorf(keyward.Conflict, "%s: %w", conflictText(failure.Error()), err)
	case code&0xff == lib.SQLITE_FULL || code&0xff == lib.SQLITE_IOERR || code&0xff == lib.SQLITE_BUSY ||
		code&0xff == lib.SQLITE_READONLY || code&0xff == lib.SQLITE_CANTOPEN || code&0xff == lib.SQLITE_INTERRUPT:
		return keyward.Errorf(keyward.Unavailable, "the database cannot be written or read: %w", err)
	}
	return keyward.Errorf(keyward.Internal, "database: %w", err)
}

// conflictText says in our words what is taken already, from the constraint that
// the database names.
func conflictText(constraint string) string {
	for _, known := range []struct{ mark, text string }{
		{"public_id", "this publicId is taken"},
		{"client_id", "this client id is taken"},
		{"digest", secretTaken},
		{"operators_email", "this e-mail address is taken"},
		{"email_folded", "this e-mail address is taken"},
		{"idempotency", "a request with this idempotency key is being answered"},
	} {
		if strings.Contains(constraint, known.mark) {
			return known.text
		}
	}
	return "this id is taken"
}

// locking: the transaction has the whole database to itself.
func (e *sqliteEngine) locking() string { return "" }

// estimates: SQLite would, had the tables been analyzed.
func (e *sqliteEngine) estimates() bool { return false }

// unindexed: a unary plus makes an expression of the column, which has no index.
func (e *sqliteEngine) unindexed(column string) string { return "+" + column }

func (e *sqliteEngine) indexed(table, index string) string { return table + " INDEXED BY " + index }

// planned: without statistics the values make no difference.
func (e *sqliteEngine) planned(args []any) []any { return args }

func (e *sqliteEngine) close() error {
	e.once.Do(func() {
		close(e.closed)
		<-e.done
		e.failed = e.closeFiles()
	})
	return e.failed
}

func (e *sqliteEngine) closeFiles() error {
	var failed error
	if e.writer != nil {
		failed = e.writer.close()
	}
	for _, db := range []*sql.DB{e.readers, e.writers} {
		if db != nil {
			failed = errors.Join(failed, db.Close())
		}
	}
	return failed
}
