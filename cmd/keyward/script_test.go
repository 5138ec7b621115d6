package main_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"keyward/keywardtest"

	"github.com/rogpeppe/go-internal/testscript"
)

// update rewrites what the scripts compare with: go test -run TestScripts -update.
var update = flag.Bool("update", false, "rewrite the expected output in testdata/script")

// TestScripts runs the command lines in testdata/script against one server. They find
// it in KEYWARD_URL and KEYWARD_TOKEN.
func TestScripts(t *testing.T) {
	kw := keywardtest.New(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("KEYWARD_URL", kw.URL)
			env.Setenv("KEYWARD_TOKEN", kw.RootToken)
			env.Setenv("GORACE", "atexit_sleep_ms=0") // under the race detector every exit takes a second
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "save": save, "json": jsonIs},
	})
}

// exits runs a program and demands its exit code:
//
//	exits CODE program [argument ...]
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [argument ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("the exit code is %d, want %d", got, want)
	}
}

// save keeps the last output, or a member of it, in a variable:
//
//	save VARIABLE [member ...]
func save(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: save variable [member ...]")
	}
	ts.Setenv(args[0], member(ts, args[1:]))
}

// jsonIs compares a member of the last output:
//
//	json WANTED member ...
func jsonIs(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: json wanted member ...")
	}
	if got := member(ts, args[1:]); (got == args[0]) == neg {
		ts.Fatalf("%s is %s", strings.Join(args[1:], "."), got)
	}
}

// member returns the last output, or what is in it at the given names and indexes.
// Text is without quotes, everything else as JSON.
func member(ts *testscript.TestScript, path []string) string {
	text := ts.ReadFile("stdout")
	if len(path) == 0 {
		return strings.TrimSpace(text)
	}
	var value any
	ts.Check(json.Unmarshal([]byte(text), &value))
	for _, name := range path {
		switch at := value.(type) {
		case map[string]any:
			next, ok := at[name]
			if !ok {
				ts.Fatalf("there is no %s in %s", name, text)
			}
			value = next
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(at) {
				ts.Fatalf("there is no %s in %s", name, text)
			}
			value = at[i]
		default:
			ts.Fatalf("there is no %s in %s", name, text)
		}
	}
	if plain, ok := value.(string); ok {
		return plain
	}
	encoded, err := json.Marshal(value)
	ts.Check(err)
	return string(encoded)
}
