package server_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// canaries are texts that may be nowhere, by what they are.
type canaries struct {
	names   []string
	needles [][][]byte // of each, every way of writing it
}

// add adds a secret. Of one in our own form it looks for the random part, since the
// rest is in the hint.
func (c *canaries) add(name, text string) {
	const random, checksum = 32, 6
	if n := len(text); strings.Contains(text, "_live_") && n > random+checksum {
		text = text[n-random-checksum : n-checksum]
	} else if parts := strings.Split(text, "."); len(parts) == 3 {
		text = parts[2] // of an access token, its signature
	}
	c.names, c.needles = append(c.names, name), append(c.needles, spellings(text))
}

// spellings returns a text plain, in hexadecimal, percent-encoded, and as it looks
// within base64, where it can begin at each of three places.
func spellings(text string) [][]byte {
	percent := ""
	for i := range len(text) {
		percent += fmt.Sprintf("%%%02X", text[i])
	}
	all := []string{
		text, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))),
		percent, strings.ToLower(percent), url.QueryEscape(text), reversed(text),
	}
	for offset := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", offset) + text))
		sure := encoded[(offset*8+5)/6 : (offset+len(text))*8/6]
		all = append(all, sure, strings.NewReplacer("+", "-", "/", "_").Replace(sure))
	}
	needles := make([][]byte, len(all))
	for i, spelling := range all {
		needles[i] = []byte(spelling)
	}
	return needles
}

func reversed(text string) string {
	b := []byte(text)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// find returns the names of the canaries that are in data.
func (c *canaries) find(data []byte) []string {
	var found []string
	for i, needles := range c.needles {
		for _, needle := range needles {
			if bytes.Contains(data, needle) {
				found = append(found, fmt.Sprintf("%s as %.60q", c.names[i], needle))
				break
			}
		}
	}
	return found
}

// absent fails if data holds any canary.
func (c *canaries) absent(t *testing.T, where string, data []byte) {
	t.Helper()
	for _, name := range c.find(data) {
		t.Errorf("%.200s holds %s", where, name)
	}
}

// absentFromFiles looks through all files below a directory, but those that are there
// to hold a secret: these hold their own only.
func (c *canaries) absentFromFiles(t *testing.T, dir string, own map[string]string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, name := range c.find(data) {
			if mine := own[entry.Name()]; mine == "" || !strings.HasPrefix(name, mine+" as ") {
				t.Errorf("the file %s holds %s", entry.Name(), name)
			}
		}
		return nil
	})
	if err != nil || files < len(own) {
		t.Errorf("%d files: %v", files, err)
	}
}

// absentFromTables looks through every row of every table of a PostgreSQL database,
// as a dump of it would be written.
func (c *canaries) absentFromTables(t *testing.T, database string) {
	t.Helper()
	db, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := column(t, db, `SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = 'public'`)
	if len(tables) < 5 {
		t.Fatalf("tables = %v", tables)
	}
	for _, table := range tables {
		for _, row := range column(t, db, "SELECT x::text FROM "+table+" x") {
			c.absent(t, "the table "+table, []byte(row))
		}
	}
}

func column(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// ledger takes what is logged, from any goroutine.
type ledger struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (l *ledger) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *ledger) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

// The search itself is worth nothing if it does not find.
func TestCanariesAreFoundHoweverTheyAreWritten(t *testing.T) {
	const secret = "kw_live_0123456789abABCDEFGHIJKLMNOPQRSTUVWXYZabcdef654321"
	var c canaries
	c.add("it", secret)
	for name, text := range map[string]string{
		"plain": secret, "hexadecimal": hex.EncodeToString([]byte(secret)), "percent": url.QueryEscape("?" + secret),
		"base64": base64.StdEncoding.EncodeToString([]byte(secret)), "base64 after one": base64.StdEncoding.EncodeToString([]byte("x" + secret)),
		"base64 after two": base64.URLEncoding.EncodeToString([]byte("xy" + secret + "z")), "quoted": fmt.Sprintf("%q", "a"+secret), "bytea": `\x00` + hex.EncodeToString([]byte(secret)),
	} {
		if len(c.find([]byte("before "+text+" after"))) != 1 {
			t.Errorf("%s is not found", name)
		}
	}
	if found := c.find([]byte("kw_live_0123456789ab…4321")); len(found) != 0 {
		t.Errorf("found %v in the hint", found)
	}
}
