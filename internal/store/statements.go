package store

import (
	"context"
	"database/sql"
	"sync"
)

// maxStatements bounds the texts that are kept prepared: filters make new ones.
const maxStatements = 512

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
	s.mu.RLock()
	stmt := s.prepared[query]
	s.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt := s.prepared[query]; stmt != nil || len(s.prepared) >= maxStatements {
		return stmt, nil
	}
	stmt, err := s.db.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept, and closed with the others
	if err == nil {
		s.prepared[query] = stmt
	}
	return stmt, err
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
