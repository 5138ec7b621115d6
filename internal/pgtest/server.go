package pgtest

import (
	"context"
	"errors"
	"fmt"
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
)

// superuser is the role that owns everything and that every URL signs in as.
const superuser = "postgres"

// patience is how long one step of the server may take before it counts as stuck.
const patience = time.Minute

// Options say how a server differs from the usual one.
type Options struct {
	// Fsync has every commit flushed to the disk before it is acknowledged. Without
	// it a commit survives [Server.Kill], but not a crash of the machine.
	Fsync bool
}

// Server is a PostgreSQL of one's own: a process, its directory and its port on
// 127.0.0.1. On Linux it ends with the test process at the latest, even if that is
// killed; then only the directory is left behind. URL and SocketURL may be called at
// any time; the other methods are not safe for concurrent use.
type Server struct {
	options Options
	bin     string              // the folder of initdb and postgres
	version int                 // PostgreSQL's major version
	account *syscall.Credential // whom the server runs as; nil is the current user
	dir     string
	port    int
	process *process // nil while the server is down
}

// StartServer starts a server for one test and stops it when the test ends. It
// does not need [Run].
func StartServer(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return s
}

// Start makes a directory for a server and starts it; it accepts connections when
// Start returns. The caller must call [Server.Stop]. PostgreSQL refuses to run as
// root, so root's servers run as the user postgres or, if there is none, nobody.
func Start(o Options) (*Server, error) {
	bin, err := Find(os.Getenv("PATH"), "/usr/lib/postgresql")
	if err != nil {
		return nil, err
	}
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, bin: bin, account: account, dir: dir}
	if err := s.initialize(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.startOnFreePort(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// URL returns how to reach a database over TCP. A new server has one, "postgres".
func (s *Server) URL(database string) string {
	return (&url.URL{
		Scheme:   "postgres",
		User:     url.User(superuser),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}).String()
}

// SocketURL returns how to reach a database through the server's UNIX socket.
func (s *Server) SocketURL(database string) string {
	query := url.Values{"host": {s.dir}, "port": {strconv.Itoa(s.port)}, "user": {superuser}, "sslmode": {"disable"}}
	return "postgres:///" + url.PathEscape(database) + "?" + query.Encode()
}

// Stop ends the server in good order, open connections or not, and removes its
// directory. It may be called again, and after [Server.Kill].
func (s *Server) Stop() error {
	return errors.Join(s.shutDown(), os.RemoveAll(s.dir))
}

// Kill ends the server at once, as kill -9 does: connections break without a word
// and nothing is written any more. What was committed is there again after
// [Server.Restart].
func (s *Server) Kill() error {
	if s.process == nil {
		return nil
	}
	if err := s.process.kill(); err != nil {
		return fmt.Errorf("kill PostgreSQL: %w", err)
	}
	s.process = nil
	return nil
}

// Restart starts the server again on the same port, with the same data, after
// ending it in good order if it is up. It accepts connections when Restart returns.
func (s *Server) Restart() error {
	if err := s.shutDown(); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); ; {
		err := s.start()
		if err == nil || !busy(err) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *Server) shutDown() error {
	if s.process == nil {
		return nil
	}
	if s.process.stop(patience) {
		s.process = nil
		return nil
	}
	return errors.Join(fmt.Errorf("PostgreSQL did not stop within %v", patience), s.Kill())
}

// startOnFreePort chooses the port and starts the server. A port that is free now
// may be taken by the time the server binds it; then another one is tried.
func (s *Server) startOnFreePort() error {
	var err error
	for range 5 {
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.start(); err == nil || !busy(err) {
			return err
		}
	}
	return err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// busy reports whether a start failed because of something that passes: a port that
// somebody else uses, or shared memory that a killed predecessor still uses.
func busy(err error) bool { return strings.Contains(err.Error(), "in use") }

// start starts the process and waits until it accepts connections.
func (s *Server) start() error {
	log, err := os.Create(s.logFile())
	if err != nil {
		return err
	}
	defer log.Close() // the server has a descriptor of its own
	cmd := s.command("postgres", s.settings()...)
	cmd.Stdout, cmd.Stderr = log, log
	p, err := launch(cmd)
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := s.await(p); err != nil {
		return errors.Join(err, p.kill())
	}
	s.process = p
	return nil
}

func (s *Server) settings() []string {
	fsync := "off"
	if s.options.Fsync {
		fsync = "on"
	}
	return []string{
		"-D", s.dataDir(), "-k", s.dir, "-h", "127.0.0.1", "-p", strconv.Itoa(s.port),
		"-c", "fsync=" + fsync, "-c", "full_page_writes=" + fsync,
		"-c", "max_connections=200", "-c", "shared_buffers=64MB",
	}
}

// await returns when the server lets one in. It asks through the socket: on the TCP
// port somebody else might answer.
func (s *Server) await(p *process) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.SocketURL(superuser))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.exited:
			return fmt.Errorf("PostgreSQL ended while it started; the end of its log:\n%s", s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL did not come up within %v: %w; the end of its log:\n%s", patience, err, s.logTail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) dataDir() string { return filepath.Join(s.dir, "data") }
func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// logTail returns the last lines that the server wrote.
func (s *Server) logTail() string {
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2048):])
}

// command returns a program of PostgreSQL, to be run as the server's account in the
// server's directory: the caller's may be closed to that account.
func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"} // no PG… settings of the caller's
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account}
	return cmd
}
