package bench

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"keyward"
)

// The columns in which the rows of keys differ, as SQLite's SQL over the number n.i, and
// those of their versions, over parameters.
var (
	keyColumns = map[string]string{
		"number": "n.i", "id": "printf('key_%026d', n.i)", "client_id": "printf('%032d', n.i)",
		"name": "printf('key %d', n.i)", "name_folded": "printf('key %d', n.i)",
		"owner_id": "printf('user_%d', n.i)", "owner_folded": "printf('user_%d', n.i)",
		"metadata": `printf('{"plan":"pro","seat":%d}', n.i)`,
	}
	versionColumns = map[string]string{"key_number": "?1", "digest": "?2", "hint": "?3"}
)

// group is how many keys are added in one transaction.
const group = 1_000

// multiply adds keys like the first one until there are as many as the crowd has, and
// gives each its secret.
func (w *World) multiply(ctx context.Context) (err error) {
	db, err := openRaw(w.database(), "&_pragma=synchronous(OFF)&_pragma=cache_size(-2097152)&_pragma=temp_store(MEMORY)&_pragma=locking_mode(EXCLUSIVE)")
	if err != nil {
		return err
	}
	defer func() {
		if failed := db.Close(); err == nil {
			err = failed
		}
	}()
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode = DELETE"); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode = OFF"); err != nil {
		return err
	}
	digest := w.ring.DigestString(w.secret(1))
	if _, err := db.ExecContext(ctx, "UPDATE key_versions SET digest = $1", digest[:]); err != nil {
		return err
	}
	restore, err := dropIndexes(ctx, db)
	if err != nil {
		return err
	}
	keys, err := copying(ctx, db, "keys", keyColumns)
	if err != nil {
		return err
	}
	keys = "WITH RECURSIVE n(i) AS (VALUES (?1) UNION ALL SELECT i + 1 FROM n WHERE i < ?2) " + keys + " CROSS JOIN n"
	versions, err := copying(ctx, db, "key_versions", versionColumns)
	if err != nil {
		return err
	}
	for from := 2; from <= w.Size; from += group {
		if err := w.addGroup(ctx, db, keys, versions, from, min(from+group-1, w.Size)); err != nil {
			return fmt.Errorf("prepare %d keys: %w", w.Size, err)
		}
	}
	restore = append(restore, fmt.Sprintf("UPDATE organizations SET last_number = %d", w.Size))
	for _, statement := range restore {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// openRaw opens the database by one connection of its own, with pragmas.
func openRaw(path, pragmas string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(5000)"+pragmas)
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// dropIndexes drops the indexes of keys, and returns what makes them again: that takes
// less time than keeping them up to date does.
func dropIndexes(ctx context.Context, db *sql.DB) (restore []string, err error) {
	names, err := pairs(ctx, db, "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'keys' AND sql IS NOT NULL")
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if _, err := db.ExecContext(ctx, `DROP INDEX "`+name+`"`); err != nil {
			return nil, err
		}
		restore = append(restore, names[name])
	}
	return restore, nil
}

// copying returns the statement that inserts a copy of the only row t of a table, except
// that the columns that are named are computed. It reads from a copy for this connection:
// SQLite would put what it reads from the table itself aside first, each time.
func copying(ctx context.Context, db *sql.DB, table string, computed map[string]string) (string, error) {
	columns, err := pairs(ctx, db, "SELECT name, type FROM pragma_table_info('"+table+"')")
	if err != nil {
		return "", err
	}
	if _, err := db.ExecContext(ctx, "CREATE TEMP TABLE first_"+table+" AS SELECT * FROM "+table); err != nil {
		return "", err
	}
	names := slices.Sorted(maps.Keys(columns))
	values := make([]string, len(names))
	for i, name := range names {
		if values[i] = computed[name]; values[i] == "" {
			values[i] = "t." + name
		}
	}
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM temp.first_%s t", table, strings.Join(names, ", "), strings.Join(values, ", "), table), nil
}

// pairs returns the rows of a query with two columns of text.
func pairs(ctx context.Context, db *sql.DB, query string) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		found[name] = value
	}
	return found, rows.Err()
}

// addGroup adds the keys with the numbers from first to last.
func (w *World) addGroup(ctx context.Context, db *sql.DB, keys, versions string, first, last int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing, after a commit
	if _, err := tx.ExecContext(ctx, keys, first, last); err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, versions)
	if err != nil {
		return err
	}
	defer insert.Close()
	for number := first; number <= last; number++ {
		secret := w.secret(number)
		digest := w.ring.DigestString(secret)
		if _, err := insert.ExecContext(ctx, number, digest[:], keyward.ForeignSecret(secret).Hint()); err != nil {
			return err
		}
	}
	return tx.Commit()
}
