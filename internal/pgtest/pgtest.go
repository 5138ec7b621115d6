// Package pgtest gives tests a real, private PostgreSQL. A test asks for a
// database and gets one of its own, on a server that the tests of one package
// share: started at the first use, stopped and removed after the last test.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }
//
//	func TestSomething(t *testing.T) {
//		url := pgtest.Database(t)
//		…
//	}
//
// Tests that stop or crash the server start one of their own with [StartServer].
//
// The package needs PostgreSQL's programs (13 or newer) on the machine and fails
// the test when they are missing; it never skips. Where PostgreSQL supports it,
// text sorts by a language's rules unless a column says otherwise, so that a
// query that forgot to say so shows. The package is not for running PostgreSQL
// in production: every local user may connect, as superuser, without a password.
package pgtest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// shared is the server of this process. It is a variable of the package because
// that is as far as a test process reaches; only [Run] opens and closes it.
var shared pool

// Run runs the tests of a package and then stops the server that they shared, if
// any of them used it. It returns the exit code for TestMain to pass on.
func Run(m *testing.M) int {
	shared.open()
	code := m.Run()
	if err := shared.close(); err != nil {
		fmt.Println("pgtest:", err)
		return max(code, 1)
	}
	return code
}

// Database returns the URL of a new, empty database on the shared server. It is
// dropped when the test ends, open connections or not. TestMain must call [Run].
func Database(t testing.TB) string {
	t.Helper()
	return shared.database(t, func(*Server) (string, error) { return "template1", nil })
}

// Clone returns the URL of a new copy of a template on the shared server. The
// first call with a name makes the template: prepare is handed the URL of an
// empty database and must have closed its connections when it returns. Later
// calls with that name only copy, which is much quicker than migrating each
// time. The copy is dropped when the test ends. TestMain must call [Run].
func Clone(t testing.TB, name string, prepare func(url string) error) string {
	t.Helper()
	return shared.database(t, func(s *Server) (string, error) { return shared.template(s, name, prepare) })
}

// A pool is a server that is started when it is first needed, its templates and
// the number of databases made on it. It is safe for concurrent use.
type pool struct {
	mu        sync.Mutex
	opened    bool
	server    *Server
	failure   error // of starting the server, which is tried once
	templates map[string]template
	databases int
}

// A template is the database that clones are copied from, or why there is none.
type template struct {
	database string
	failure  error
}

func (p *pool) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened, p.templates = true, make(map[string]template)
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened = false
	if p.server == nil {
		return nil
	}
	return p.server.Stop()
}

// database makes a database from the template that source names, for as long as
// the test runs.
func (p *pool) database(t testing.TB, source func(*Server) (string, error)) string {
	t.Helper()
	server, name, err := p.next(source)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		if err := server.drop(name); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return server.URL(name)
}

// next creates the next database and returns its name.
func (p *pool) next(source func(*Server) (string, error)) (*Server, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	server, err := p.start()
	if err != nil {
		return nil, "", err
	}
	from, err := source(server)
	if err != nil {
		return nil, "", err
	}
	p.databases++
	name := fmt.Sprintf("test_%d", p.databases)
	return server, name, server.create(name, from)
}

// start returns the running server. The caller holds the lock.
func (p *pool) start() (*Server, error) {
	if !p.opened {
		return nil, errors.New("TestMain has to stop the server: " +
			"func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }")
	}
	if p.server == nil && p.failure == nil {
		p.server, p.failure = Start(Options{})
	}
	return p.server, p.failure
}

// template returns the database that holds the named template, made by prepare if
// this is its first use. The caller holds the lock.
func (p *pool) template(s *Server, name string, prepare func(url string) error) (string, error) {
	if made, ok := p.templates[name]; ok {
		return made.database, made.failure
	}
	made := template{database: fmt.Sprintf("template_%d", len(p.templates)+2)} // 0 and 1 are PostgreSQL's own
	made.failure = errors.New("template " + name + ": prepare did not return")
	defer func() { p.templates[name] = made }()

	err := s.create(made.database, "template1")
	if err == nil {
		err = prepare(s.URL(made.database))
	}
	if err == nil {
		err = s.seal(made.database)
	}
	if err != nil {
		err = fmt.Errorf("template %s: %w", name, err)
	}
	made.failure = err
	return made.database, made.failure
}
