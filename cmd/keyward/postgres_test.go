package main_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyward/internal/keyring"
	"keyward/internal/pgtest"
)

func TestStartsOnAPostgreSQLThatTheyCannotUse(t *testing.T) {
	keyward := build(t)
	explicit := []string{"KEYWARD_MASTER_KEY=" + masterKey}
	t.Run("another master key", func(t *testing.T) {
		database := pgtest.Database(t)
		server := keyward.serve(t, explicit, "--data", t.TempDir(), "--database", database)
		must(t, server.terminate())
		other := "KEYWARD_MASTER_KEY=" + keyring.Generate()
		start{
			environment: []string{other}, says: []string{"master key", "use that one"},
			args: []string{"--data", t.TempDir(), "--database", database},
		}.refused(t, keyward, masterKey)
		keyward.serve(t, explicit, "--data", t.TempDir(), "--database", database)
	})
	t.Run("a newer schema", func(t *testing.T) {
		database := pgtest.Database(t)
		server := keyward.serve(t, explicit, "--data", t.TempDir(), "--database", database)
		must(t, server.terminate())
		execute(t, database, newerSchema)
		start{
			environment: explicit, says: []string{"999", "newer"},
			args: []string{"--data", t.TempDir(), "--database", database},
		}.refused(t, keyward)
	})
	t.Run("no such database", func(t *testing.T) {
		database := strings.Replace(pgtest.Database(t), "/test_", "/missing_", 1)
		start{
			environment: explicit, says: []string{"missing_", "does not exist"},
			args: []string{"--data", t.TempDir(), "--database", database},
		}.refused(t, keyward)
	})
	t.Run("a wrong password", func(t *testing.T) {
		start{
			environment: append(explicit, "KEYWARD_DATABASE="+withPassword(t, "hunter2-wrong")),
			args:        []string{"--data", t.TempDir()}, says: []string{"password authentication failed"},
		}.refused(t, keyward, "hunter2")
	})
	t.Run("a server that has ended", func(t *testing.T) {
		postgres := pgtest.StartServer(t, pgtest.Options{})
		must(t, postgres.Kill())
		start{
			environment: explicit, says: []string{"refused"},
			args: []string{"--data", t.TempDir(), "--database", postgres.URL("postgres")},
		}.refused(t, keyward)
	})
}

// withPassword returns the URL of a PostgreSQL that asks for a password, with one.
func withPassword(t *testing.T, password string) string {
	t.Helper()
	postgres := pgtest.StartServer(t, pgtest.Options{})
	database := postgres.URL("postgres")
	db := openSQL(t, database)
	defer db.Close()
	var rules string
	must(t, db.QueryRowContext(t.Context(), "SHOW hba_file").Scan(&rules))
	execute(t, database, "CREATE ROLE keyward LOGIN PASSWORD 'another'")
	text, err := os.ReadFile(filepath.Clean(rules))
	must(t, err)
	must(t, os.WriteFile(rules, append([]byte("host all keyward 127.0.0.1/32 scram-sha-256\n"), text...), 0o600))
	execute(t, database, "SELECT pg_reload_conf()")
	at, err := url.Parse(database)
	must(t, err)
	at.User = url.UserPassword("keyward", password)
	return at.String()
}
