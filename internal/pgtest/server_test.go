package pgtest_test

import (
	"bufio"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"keyward/internal/pgtest"
)

func TestTheServerIsNotRootAndIsGoneAfterStop(t *testing.T) {
	s := pgtest.StartServer(t, pgtest.Options{})
	dir := query(t, s.URL("postgres"), "SHOW data_directory")
	pid := serverPID(t, s)

	// PostgreSQL's files belong to whom its process runs as.
	file, err := os.Stat(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	if owner := file.Sys().(*syscall.Stat_t).Uid; owner == 0 {
		t.Error("the server runs as root")
	}

	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the process after Stop: %v, want none", err)
	}
	if _, err := os.Stat(filepath.Dir(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory after Stop: %v, want none", err)
	}
}

func TestTheSocketAndThePortLeadToTheSameServer(t *testing.T) {
	s := pgtest.StartServer(t, pgtest.Options{})
	execute(t, s.SocketURL("postgres"), `CREATE DATABASE "a b?"`, "CREATE TABLE notes (text TEXT)")

	if !hasTable(t, s.URL("postgres"), "notes") {
		t.Error("a table made through the socket is not seen through the port")
	}
	for _, location := range []string{s.URL("a b?"), s.SocketURL("a b?")} {
		if got := query(t, location, "SELECT current_database()::text"); got != "a b?" {
			t.Errorf("%s leads to database %q", location, got)
		}
	}
}

func TestWhatWasCommittedSurvives(t *testing.T) {
	for name, end := range map[string]func(*pgtest.Server) error{
		"a restart":          func(*pgtest.Server) error { return nil },
		"a crash":            (*pgtest.Server).Kill,
		"being killed twice": func(s *pgtest.Server) error { return errors.Join(s.Kill(), s.Kill()) },
	} {
		t.Run(name, func(t *testing.T) {
			s := pgtest.StartServer(t, pgtest.Options{Fsync: true})
			location := s.URL("postgres")
			execute(t, location, "CREATE TABLE notes (text TEXT)", "INSERT INTO notes VALUES ('kept')")
			open := connect(t, location)

			if err := errors.Join(end(s), s.Restart()); err != nil {
				t.Fatal(err)
			}
			if err := open.Ping(t.Context()); err == nil {
				t.Error("a connection outlived the server")
			}
			if got := query(t, location, "SELECT text FROM notes"); got != "kept" {
				t.Errorf("notes hold %q, want %q", got, "kept")
			}
		})
	}
}

func TestAKilledServerAcceptsNothingUntilRestarted(t *testing.T) {
	s := pgtest.StartServer(t, pgtest.Options{})
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if conn, err := pgx.Connect(t.Context(), s.URL("postgres")); err == nil {
		conn.Close(t.Context())
		t.Error("the server still accepts connections")
	}
}

func TestFsyncIsOnWhereAskedFor(t *testing.T) {
	for want, options := range map[string]pgtest.Options{"off": {}, "on": {Fsync: true}} {
		s := pgtest.StartServer(t, options)
		if got := query(t, s.URL("postgres"), "SHOW fsync"); got != want {
			t.Errorf("fsync is %s for %+v, want %s", got, options, want)
		}
	}
}

func TestTheServerEndsWhenTheTestProcessIsKilled(t *testing.T) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), roleVariable+"=hold a server")
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	location, socket := nextURL(t, lines), nextURL(t, lines)
	t.Cleanup(func() { os.RemoveAll(socket.Query().Get("host")) })

	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if !refuses(location.Host, 30*time.Second) {
		t.Error("the server outlived the process that started it")
	}
}

func TestFind(t *testing.T) {
	root, both, half := t.TempDir(), t.TempDir(), t.TempDir()
	newest := filepath.Join(root, "17", "bin")
	install(t, both, "initdb", "postgres")
	install(t, half, "postgres")
	for _, version := range []string{"9.6", "17", "15", "common"} {
		install(t, filepath.Join(root, version, "bin"), "initdb", "postgres")
	}
	install(t, filepath.Join(root, "18", "bin"), "postgres")

	for name, test := range map[string]struct{ path, root, want string }{
		"the path comes first":                      {half + ":" + both, root, both},
		"else the highest complete version":         {half, root, newest},
		"an empty path finds the installed version": {"", root, newest},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := pgtest.Find(test.path, test.root); got != test.want || err != nil {
				t.Errorf("Find(%q, %q) = %q, %v, want %q", test.path, test.root, got, err, test.want)
			}
		})
	}
}

func TestFindSaysHowToInstallWhatIsMissing(t *testing.T) {
	const want = "PostgreSQL is not installed: apt-get install postgresql"
	if _, err := pgtest.Find(t.TempDir(), t.TempDir()); err == nil || err.Error() != want {
		t.Errorf("Find on an empty machine: %v, want %q", err, want)
	}
}

// serverPID returns the id of the server's first process.
func serverPID(t *testing.T, s *pgtest.Server) int {
	t.Helper()
	text := query(t, s.URL("postgres"), `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)`)
	pid, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func nextURL(t *testing.T, lines *bufio.Scanner) *url.URL {
	t.Helper()
	if !lines.Scan() {
		t.Fatalf("the child printed no URL: %v", lines.Err())
	}
	parsed, err := url.Parse(strings.TrimSpace(lines.Text()))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// refuses reports whether address refuses connections before the time is over.
func refuses(address string, within time.Duration) bool {
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		conn, err := net.Dial("tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return true
		}
		if err == nil {
			conn.Close()
		}
	}
	return false
}

// install makes empty programs in dir.
func install(t *testing.T, dir string, programs ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
		if err := os.WriteFile(filepath.Join(dir, program), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
