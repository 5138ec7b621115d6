package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgres asks a PostgreSQL for one row at a time, by a statement that is prepared once
// for each connection.
type postgres struct{ *pgxpool.Pool }

// openPostgres connects, and makes the table if there is none.
func openPostgres(ctx context.Context, url string) (*postgres, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = idleConnections
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	_, err = pool.Exec(ctx, "CREATE TABLE IF NOT EXISTS peer_keys (digest bytea PRIMARY KEY, answer text NOT NULL)")
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &postgres{pool}, nil
}

// postgresKey writes one row as COPY reads it.
func postgresKey(w io.Writer, number int, secret string) error {
	_, err := fmt.Fprintf(w, "\\\\x%x\t%s\n", sha256.Sum256([]byte(secret)), answerFor(number))
	return err
}

func (p *postgres) find(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	var answer []byte
	err := p.QueryRow(ctx, "SELECT answer FROM peer_keys WHERE digest = $1", digest[:]).Scan(&answer)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return answer, err
}
