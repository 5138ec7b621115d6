package pgtest

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// create makes a database as a copy of another one.
func (s *Server) create(name, from string) error {
	statement := "CREATE DATABASE " + quote(name) + " TEMPLATE " + quote(from)
	if s.version >= 15 {
		// Older ones know no other way. Newer ones by default write the copy to the
		// log, which spares large servers a checkpoint and takes this one twice as long.
		statement += " STRATEGY file_copy"
	}
	return s.execute(statement)
}

// seal closes a database to connections, which would be in the way of copying it.
func (s *Server) seal(name string) error {
	return s.execute("ALTER DATABASE " + quote(name) + " WITH ALLOW_CONNECTIONS false")
}

// drop removes a database, whoever is still connected to it.
func (s *Server) drop(name string) error {
	return s.execute("DROP DATABASE " + quote(name) + " WITH (FORCE)")
}

func (s *Server) execute(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.SocketURL(superuser))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
