package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed schema
var schemas embed.FS

// migrate brings the schema up to date: kind is the folder of schema to apply.
func migrate(ctx context.Context, db *sql.DB, kind string) error {
	dialect := goose.DialectSQLite3
	if kind == "postgres" {
		dialect = goose.DialectPostgres
	}
	files, err := fs.Sub(schemas, "schema/"+kind)
	if err != nil {
		return err
	}
	var options []goose.ProviderOption
	if kind == "postgres" {
		// Nodes may start together. The others wait for the one that came first. Its lock
		// is a row with a lease, which works behind a connection pooler too.
		locker, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(100*time.Millisecond, 600))
		if err != nil {
			return err
		}
		options = append(options, goose.WithLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, db, files, options...)
	if err != nil {
		return err
	}
	have, err := provider.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	if newest := sources[len(sources)-1].Version; have > newest {
		return fmt.Errorf("its schema has version %d, this program knows up to %d: use the newer program", have, newest)
	}
	_, err = provider.Up(ctx)
	return err
}
