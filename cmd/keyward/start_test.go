package main_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// atLatest is when a start that cannot work must have said so.
const atLatest = 5 * time.Second

// start is a start that cannot work.
type start struct {
	environment []string
	args        []string
	code        int      // 1 unless it is said
	says        []string // parts of the one line
}

// refused runs a start, and checks that it says in one line what to do.
func (s start) refused(t *testing.T, keyward program, never ...string) {
	t.Helper()
	cmd := keyward.command(s.environment, append(append([]string{"serve"}, free...), s.args...)...)
	s.refusedAs(t, cmd, never...)
}

func (s start) refusedAs(t *testing.T, cmd *exec.Cmd, never ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	stuck := time.AfterFunc(atLatest, func() { _ = cmd.Process.Kill() })
	err := cmd.Run()
	if !stuck.Stop() {
		t.Fatalf("it had not ended after %v: %s", atLatest, stderr.String())
	}
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	line := stderr.String()
	if want := max(s.code, 1); code != want {
		t.Errorf("the exit code is %d, want %d", code, want)
	}
	if strings.Count(line, "\n") != 1 || !strings.HasPrefix(line, "keyward: ") {
		t.Errorf("it said more or less than one line:\n%s", line)
	}
	if stdout.Len() > 0 {
		t.Errorf("it printed %q", stdout.String())
	}
	for _, part := range s.says {
		if !strings.Contains(line, part) {
			t.Errorf("it said %qwant %q in it", line, part)
		}
	}
	for _, secret := range never {
		if strings.Contains(line, secret) {
			t.Errorf("it gave a secret away: %s", line)
		}
	}
}

// TestStartsWithWrongSettings cannot work, whatever there is on the disk. A good start on the same
// directory works after each.
func TestStartsWithWrongSettings(t *testing.T) {
	keyward := build(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	port := busy.Addr().String()
	files := t.TempDir()
	certificate(t, files, "one")
	certificate(t, files, "other")
	one, other := filepath.Join(files, "one"), filepath.Join(files, "other")
	write(t, filepath.Join(files, "word"), "a-word")
	write(t, filepath.Join(files, "rules.yaml"), "rules:\n  - match: GET /a\n  - match: GET /a\n")
	const usage = 2 // the command line was not understood

	for name, s := range map[string]start{
		"the port is in use":               {args: []string{"--listen", port}, says: []string{port, "--listen", "in use"}},
		"the port for machines is in use":  {args: []string{"--ops-listen", port}, says: []string{port, "--ops-listen", "in use"}},
		"the address is none":              {args: []string{"--listen", "127.0.0.1:http:"}, says: []string{"127.0.0.1:http:"}},
		"an address without a port":        {args: []string{"--listen", "localhost"}, says: []string{"--listen", "localhost", "127.0.0.1:8080"}},
		"metrics at a port only":           {args: []string{"--ops-listen", "8081"}, says: []string{"--ops-listen", "8081"}},
		"the network without TLS":          {args: []string{"--listen", "0.0.0.0:0"}, says: []string{"--tls-cert", "--insecure-http"}},
		"the network by an empty host":     {args: []string{"--listen", ":0"}, says: []string{"--tls-cert", "--insecure-http"}},
		"metrics to the network":           {args: []string{"--ops-listen", "0.0.0.0:0"}, says: []string{"--ops-listen", "--insecure-http"}},
		"gRPC to the network":              {args: []string{"--grpc-listen", "0.0.0.0:0"}, says: []string{"--grpc-listen", "--tls-cert", "--insecure-http"}},
		"gRPC at a port only":              {args: []string{"--grpc-listen", "8082"}, says: []string{"--grpc-listen", "8082"}},
		"gRPC where somebody listens":      {args: []string{"--grpc-listen", port}, says: []string{port, "--grpc-listen", "in use"}},
		"gRPC on a socket without a path":  {args: []string{"--grpc-listen", "unix:"}, says: []string{"--grpc-listen", "unix:"}},
		"a public URL without a scheme":    {args: []string{"--public-url", "keys.example.com"}, says: []string{"--public-url", "https://"}},
		"a public URL with a query":        {args: []string{"--public-url", "https://keys.example.com/?a=b"}, says: []string{"--public-url"}},
		"a proxy that is no address":       {args: []string{"--trusted-proxies", "10.0.0.0/8,proxy"}, says: []string{"--trusted-proxies", "proxy"}},
		"route rules that contradict":      {args: []string{"--authz-rules", filepath.Join(files, "rules.yaml")}, says: []string{"--authz-rules", "rules.yaml:3: ", "line 2"}},
		"no file of route rules":           {args: []string{"--authz-rules", "/nowhere/rules"}, says: []string{"--authz-rules", "/nowhere/rules"}},
		"a log level that is none":         {args: []string{"--log-level", "loud"}, code: usage, says: []string{"--log-level", "debug", "loud"}},
		"a log format that is none":        {args: []string{"--log-format", "xml"}, code: usage, says: []string{"--log-format", "json", "xml"}},
		"a flag that is none":              {args: []string{"--liste", "x"}, code: usage, says: []string{"--liste"}},
		"a host for what is no dialect":    {args: []string{"--host", "native=keys.example.com"}, says: []string{"--host", "rebilly"}},
		"a host without a dialect":         {args: []string{"--host", "keys.example.com"}, says: []string{"--host", "rebilly=keys.example.com"}},
		"a host with a port":               {args: []string{"--host", "rebilly=keys.example.com:80"}, says: []string{"--host", "without port"}},
		"a host that is an address":        {args: []string{"--host", "rebilly=127.0.0.1"}, says: []string{"--host"}},
		"a host of two dialects":           {args: []string{"--host", "rebilly=a.example", "--host", "gjirafa=A.example"}, says: []string{"--host", "two"}},
		"a host that is the public one":    {args: []string{"--host", "rebilly=a.example", "--public-url", "https://a.example"}, says: []string{"--host", "--public-url"}},
		"a flag without its value":         {args: []string{"--public-url"}, code: usage, says: []string{"--public-url"}},
		"an argument too many":             {args: []string{"now"}, code: usage, says: []string{"now"}},
		"a variable that is no truth":      {environment: []string{"KEYWARD_INSECURE_HTTP=perhaps"}, code: usage, says: []string{"KEYWARD_INSECURE_HTTP"}},
		"a root token too short":           {environment: []string{"KEYWARD_ROOT_TOKEN=too-short"}, says: []string{"root token", "32"}},
		"a root token too long":            {environment: []string{"KEYWARD_ROOT_TOKEN=" + strings.Repeat("x", 513)}, says: []string{"root token", "512"}},
		"a root token with a space":        {environment: []string{"KEYWARD_ROOT_TOKEN=" + strings.Repeat("two words ", 5)}, says: []string{"root token", "space"}},
		"no file of the root token":        {environment: []string{"KEYWARD_ROOT_TOKEN_FILE=/nowhere/token"}, says: []string{"KEYWARD_ROOT_TOKEN_FILE", "/nowhere/token"}},
		"a root token twice":               {environment: []string{"KEYWARD_ROOT_TOKEN=" + rootToken, "KEYWARD_ROOT_TOKEN_FILE=x"}, code: usage, says: []string{"KEYWARD_ROOT_TOKEN_FILE"}},
		"a master key that is none":        {environment: []string{"KEYWARD_MASTER_KEY=c2hvcnQ="}, says: []string{"KEYWARD_MASTER_KEY", "32"}},
		"a master key twice":               {environment: []string{"KEYWARD_MASTER_KEY=" + masterKey, "KEYWARD_MASTER_KEY_FILE=x"}, code: usage, says: []string{"KEYWARD_MASTER_KEY_FILE"}},
		"no file of the master key":        {environment: []string{"KEYWARD_MASTER_KEY_FILE=/nowhere/key"}, says: []string{"master key", "/nowhere/key"}},
		"a master key file of other words": {environment: []string{"KEYWARD_MASTER_KEY_FILE=" + filepath.Join(files, "word")}, says: []string{"word", "32"}},
		"no file of the certificate":       {args: []string{"--tls-cert", "/nowhere/cert", "--tls-key", one + ".key"}, says: []string{"--tls-cert", "/nowhere/cert"}},
		"a certificate without its key":    {args: []string{"--tls-cert", one + ".cert"}, says: []string{"--tls-cert", "--tls-key"}},
		"a certificate of another key":     {args: []string{"--tls-cert", one + ".cert", "--tls-key", other + ".key"}, says: []string{"--tls-cert", "match"}},
		"a database of another kind":       {args: []string{"--database", "mysql://root@db/keys"}, says: []string{"sqlite:", "postgres://"}},
		"a database without a path":        {args: []string{"--database", "sqlite:"}, says: []string{"empty"}},
		"a database URL with a bad port":   {args: []string{"--database", "postgres://keyward:hunter2@db:port/keys"}, environment: []string{"KEYWARD_MASTER_KEY=" + masterKey}, says: []string{"database"}},
		"PostgreSQL without a master key":  {args: []string{"--database", "postgres://127.0.0.1:1/keys"}, says: []string{"KEYWARD_MASTER_KEY", "openssl"}},
		"PostgreSQL that is down":          {args: []string{"--database", "postgres://keyward:hunter2@127.0.0.1:1/keys"}, environment: []string{"KEYWARD_MASTER_KEY=" + masterKey}, says: []string{"127.0.0.1:1", "refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			s.args = append([]string{"--data", data}, s.args...)
			s.refused(t, keyward, "hunter2", rootToken, masterKey, "two words")

			server := keyward.serve(t, nil, "--data", data)
			if !strings.Contains(server.greeting, "The root token") {
				t.Errorf("the next start did not print a root token:\n%s", server.greeting)
			}
		})
	}
}

// TestStartsOnADatabaseThatTheyCannotUse cannot use the database that is there, and leave it as
// it is.
func TestStartsOnADatabaseThatTheyCannotUse(t *testing.T) {
	keyward := build(t)
	used := usedData(t, keyward)
	for name, test := range map[string]struct {
		start
		prepare func(t *testing.T, data string)
	}{
		"another master key": {
			start: start{environment: []string{"KEYWARD_MASTER_KEY=" + masterKey}, says: []string{"master key", "use that one"}},
		},
		"another master key in the file": {
			start:   start{says: []string{"master key", "use that one"}},
			prepare: func(t *testing.T, data string) { write(t, filepath.Join(data, "master.key"), masterKey) },
		},
		"no master key": {
			start:   start{says: []string{"master.key", "put it back"}},
			prepare: func(t *testing.T, data string) { must(t, os.Remove(filepath.Join(data, "master.key"))) },
		},
		"a master key that others can read": {
			start:   start{says: []string{"master.key", "chmod 600"}},
			prepare: func(t *testing.T, data string) { must(t, os.Chmod(filepath.Join(data, "master.key"), 0o644)) },
		},
		"a newer schema": {
			start: start{says: []string{"999", "newer"}},
			prepare: func(t *testing.T, data string) {
				execute(t, "sqlite:"+filepath.Join(data, "keyward.db"), newerSchema)
			},
		},
		"a file that is no database": {
			start: start{says: []string{"keyward.db", "not a database"}},
			prepare: func(t *testing.T, data string) {
				write(t, filepath.Join(data, "keyward.db"), strings.Repeat("x", 8192))
			},
		},
		"a database that is damaged": {
			start:   start{says: []string{"keyward.db", "malformed"}},
			prepare: func(t *testing.T, data string) { spoil(t, filepath.Join(data, "keyward.db")) },
		},
		"a server that uses it": {
			start:   start{says: []string{"another server"}},
			prepare: func(t *testing.T, data string) { keyward.serve(t, nil, "--data", data) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			copyFiles(t, used, data)
			if test.prepare != nil {
				test.prepare(t, data)
			}
			before := contents(t, data)
			test.args = append(test.args, "--data", data)
			test.refused(t, keyward, masterKey)
			if after := contents(t, data); !maps.Equal(before, after) {
				t.Errorf("the files were %x, and are %x", before, after)
			}
		})
	}
}

// newerSchema has a database claim to be of a later program.
const newerSchema = "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, TRUE)"

// usedData returns a data directory that a server has used, and left in good order.
func usedData(t *testing.T, keyward program) string {
	t.Helper()
	data := t.TempDir()
	server := keyward.serve(t, nil, "--data", data)
	c := newCaller(server.url, token(t, data))
	if _, err := c.call("POST", "/v1/organizations", "", map[string]string{"name": "Acme"}, nil); err != nil {
		t.Fatal(err)
	}
	must(t, server.terminate())
	return data
}

// token reads the root token of a data directory.
func token(t *testing.T, data string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "root-token"))
	must(t, err)
	return strings.TrimSpace(string(text))
}

// contents returns the files of a directory, but for the lock and the files that
// SQLite has beside the database while it is open.
func contents(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	found := map[string][32]byte{}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range entries {
		name := entry.Name()
		if name == "keyward.db.lock" || strings.HasSuffix(name, "-wal") || strings.HasSuffix(name, "-shm") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		found[name] = sha256.Sum256(text)
	}
	return found
}

func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	must(t, err)
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(from, entry.Name()))
		must(t, err)
		write(t, filepath.Join(to, entry.Name()), string(text))
	}
}

// spoil overwrites all of a database but its first page.
func spoil(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	for i := 4096; i < len(text); i++ {
		text[i] = 0xa5
	}
	write(t, path, string(text))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), fs.FileMode(0o600)))
}

func execute(t *testing.T, database, statement string) {
	t.Helper()
	db := openSQL(t, database)
	defer db.Close()
	_, err := db.ExecContext(t.Context(), statement)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
