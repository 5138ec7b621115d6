package pgtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"keyward/internal/pgtest"
)

func TestDatabasesAreIndependent(t *testing.T) {
	one, other := pgtest.Database(t), pgtest.Database(t)
	execute(t, one, "CREATE TABLE notes (text TEXT)")

	if !hasTable(t, one, "notes") {
		t.Error("the database does not have the table made in it")
	}
	if hasTable(t, other, "notes") {
		t.Error("the other database has the table too")
	}
}

func TestADatabaseIsDroppedWhenItsTestEndsEvenIfInUse(t *testing.T) {
	var url string
	t.Run("uses one", func(t *testing.T) {
		url = pgtest.Database(t)
		connect(t, url) // and leaves the connection open
	})

	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		conn.Close(t.Context())
		t.Error("the database is still there")
	}
}

func TestAClone(t *testing.T) {
	prepared := 0
	clone := func() string {
		return pgtest.Clone(t, "with notes", func(url string) error {
			prepared++
			execute(t, url, "CREATE TABLE notes (text TEXT)", "INSERT INTO notes VALUES ('from the template')")
			return nil
		})
	}
	one, other := clone(), clone()
	execute(t, one, "INSERT INTO notes VALUES ('from the test')")

	if prepared > 1 { // not at all in a second run of this test (-count)
		t.Errorf("the template was prepared %d times, want once", prepared)
	}
	for url, want := range map[string]string{one: "2", other: "1"} {
		if got := query(t, url, "SELECT count(*)::text FROM notes"); got != want {
			t.Errorf("%s notes, want %s: a clone has the template's rows and its own", got, want)
		}
	}
}

func TestParallelTestsGetDatabasesOfTheirOwn(t *testing.T) {
	for n := range 8 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			url := pgtest.Clone(t, "parallel", func(url string) error {
				execute(t, url, "CREATE TABLE numbers (n TEXT)")
				return nil
			})
			execute(t, url, fmt.Sprintf("INSERT INTO numbers VALUES ('%d')", n))
			if got := query(t, url, "SELECT string_agg(n, ',') FROM numbers"); got != fmt.Sprint(n) {
				t.Errorf("numbers %s, want only %d", got, n)
			}
		})
	}
}

func TestATemplateThatFailsFailsEveryCloneWithItsReason(t *testing.T) {
	for range 2 {
		failed := &failing{TB: t}
		failed.run(func() {
			pgtest.Clone(failed, "broken", func(string) error { return errors.New("no such migration") })
		})
		if !strings.Contains(failed.message, "template broken: no such migration") {
			t.Errorf("Clone failed with %q", failed.message)
		}
	}
}

func TestDatabaseWithoutRunSaysWhatToWrite(t *testing.T) {
	if os.Getenv(roleVariable) != "" {
		pgtest.Database(t) // this is the child: the next line is not reached
		t.Fatal("Database returned")
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), roleVariable+"=without Run")
	output, err := child.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "os.Exit(pgtest.Run(m))") {
		t.Errorf("the test ended with %v and said:\n%s", err, output)
	}
}

// failing is a test that notes how it failed instead of failing.
type failing struct {
	testing.TB
	message string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
	panic(f)
}

// run calls fn until it fails.
func (f *failing) run(fn func()) {
	defer func() {
		if failure := recover(); failure != nil && failure != any(f) {
			panic(failure)
		}
	}()
	fn()
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func execute(t testing.TB, url string, statements ...string) {
	t.Helper()
	conn := connect(t, url)
	defer conn.Close(context.Background())
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// query returns the one text that a statement selects.
func query(t testing.TB, url, statement string) string {
	t.Helper()
	conn := connect(t, url)
	defer conn.Close(context.Background())
	var text string
	if err := conn.QueryRow(t.Context(), statement).Scan(&text); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return text
}

func hasTable(t testing.TB, url, table string) bool {
	t.Helper()
	return query(t, url, "SELECT (to_regclass('"+table+"') IS NOT NULL)::text") == "true"
}
