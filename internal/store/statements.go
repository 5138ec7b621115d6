package store

import (
	"context"
	"database/sql"
	"sync"
)

// What is kept prepared is bounded, since filters make new texts: by their number, and
// by the length of each, in bytes. A long filter, prepared, takes a megabyte.
const (
	maxStatements = 512
	maxStatement  = 4096
)

// statements runs queries of which each text is prepared once.
type statements struct {
	db preparer
	// whole says that no statement is interrupted when its context ends: SQLite
	// would roll back the transaction, and with it the work of others.
	whole    bool
	mu       sync.RWMutex
	prepared map[string]*sql.Stmt
}

type preparer interface {
	queries
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	Close() error
}

func newStatements(db preparer) *statements {
	return &statements{db: db, prepared: map[string]*sql.Stmt{}}
}

// statement returns the prepared form of a query, and nil if it is to be run, or to
// fail, as it is.
func (s *statements) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if len(query) > maxStatement {
		return nil, nil
	}
	s.mu.RLock()
	stmt, full := s.prepared[query], len(s.prepared) >= maxStatements
	s.mu.RUnlock()
	if stmt != nil || full {
		return stmt, nil
	}
	// Not behind the mutex: it may have to wait for a connection.
	stmt, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first := s.prepared[query]; first != nil {
		_ = stmt.Close() //nolint:sqlclosecheck // the other one is kept
		return first, nil
	}
	s.prepared[query] = stmt
	return stmt, nil
}

func (s *statements) context(ctx context.Context) context.Context {
	if s.whole {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx = s.context(ctx)
	stmt, err := s.statement(ctx, query) //nolint:sqlclosecheck // kept, and closed with the others
	if stmt == nil || err != nil {
		return s.db.ExecContext(ctx, query, args...)
	}
	return stmt.ExecContext(ctx, args...)
}

func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx = s.context(ctx)
	stmt, err := s.statement(ctx, query) //nolint:sqlclosecheck // kept, and closed with the others
	if stmt == nil || err != nil {
		return s.db.QueryContext(ctx, query, args...)
	}
	return stmt.QueryContext(ctx, args...)
}

func (s *statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx = s.context(ctx)
	stmt, err := s.statement(ctx, query) //nolint:sqlclosecheck // kept, and closed with the others
	if stmt == nil || err != nil {
		return s.db.QueryRowContext(ctx, query, args...)
	}
	return stmt.QueryRowContext(ctx, args...)
}

func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stmt := range s.prepared {
		_ = stmt.Close()
	}
	clear(s.prepared)
	return s.db.Close()
}
