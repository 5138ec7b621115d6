package main_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// counted puts beside each key how many versions it has and what changes there were
// of it, and beside each change how many answers are kept for it.
const counted = `WITH
	versions AS (SELECT organization_id, key_number, count(*) AS n FROM key_versions GROUP BY organization_id, key_number),
	tallies AS (SELECT organization_id, target_id, count(*) AS n,
		count(CASE action WHEN 'key.created' THEN 1 END) AS created,
		count(CASE action WHEN 'key.rotated' THEN 1 END) AS rotated,
		count(CASE action WHEN 'key.revoked' THEN 1 END) AS revoked
		FROM changes WHERE target_type = 'key' GROUP BY organization_id, target_id),
	kept AS (SELECT seq, count(*) AS n FROM idempotency GROUP BY seq),
	whole AS (SELECT k.*, COALESCE(v.n, 0) AS versions, COALESCE(t.n, 0) AS changes,
		COALESCE(t.created, 0) AS created, COALESCE(t.rotated, 0) AS rotated, COALESCE(t.revoked, 0) AS revoked
		FROM keys k
		LEFT JOIN versions v ON v.organization_id = k.organization_id AND v.key_number = k.number
		LEFT JOIN tallies t ON t.organization_id = k.organization_id AND t.target_id = k.id) `

// wholes are what a database holds whole or not at all; each query counts the parts
// that lack another. Every POST of a storm has an idempotency key; what prepares the
// storm has none.
var wholes = map[string]string{
	"keys without a version":                  `SELECT count(*) FROM whole WHERE versions = 0`,
	"keys created never, or twice":            `SELECT count(*) FROM whole WHERE created <> 1`,
	"keys with changes unlike their revision": `SELECT count(*) FROM whole WHERE changes <> revision`,
	"keys with versions unlike rotations":     `SELECT count(*) FROM whole WHERE versions <> rotated + 1`,
	"keys revoked unlike their changes":       `SELECT count(*) FROM whole WHERE revoked <> CASE revoked_ms WHEN 0 THEN 0 ELSE 1 END`,
	"versions without a key": `SELECT count(*) FROM versions v
		LEFT JOIN keys k ON k.organization_id = v.organization_id AND k.number = v.key_number WHERE k.id IS NULL`,
	"keys that only the log knows": `SELECT count(*) FROM tallies t
		LEFT JOIN keys k ON k.organization_id = t.organization_id AND k.id = t.target_id WHERE k.id IS NULL`,
	"organizations with numbers that no key has": `SELECT count(*) FROM organizations o
		WHERE last_number <> (SELECT count(*) FROM keys k WHERE k.organization_id = o.id)`,
	"answers kept for no change of a key": `SELECT count(*) FROM kept
		LEFT JOIN changes c ON c.seq = kept.seq AND c.target_type = 'key' WHERE c.seq IS NULL`,
	"changes by a POST without its kept answer": `SELECT count(*) FROM changes c LEFT JOIN kept ON kept.seq = c.seq
		WHERE c.action IN ('key.created', 'key.rotated', 'key.revoked') AND COALESCE(kept.n, 0) <> 1`,
	"gaps in the log": `SELECT CASE WHEN min(seq) = 1 AND max(seq) = count(*) AND max(seq) = (SELECT seq FROM head)
		THEN 0 ELSE 1 END FROM changes`,
}

// halves says what of the database is half there.
func halves(t *testing.T, database string) []string {
	t.Helper()
	db := openSQL(t, database)
	defer db.Close()
	var found []string
	for name, query := range wholes {
		var n int
		if err := db.QueryRowContext(t.Context(), counted+query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n != 0 {
			found = append(found, fmt.Sprintf("%d %s", n, name))
		}
	}
	return found
}

// openSQL opens a database past the server.
func openSQL(t *testing.T, database string) *sql.DB {
	t.Helper()
	driver, source := "pgx", database
	if path, isFile := strings.CutPrefix(database, "sqlite:"); isFile {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	return db
}
