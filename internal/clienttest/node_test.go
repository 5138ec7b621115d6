package clienttest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// patience is how long a script may take.
const patience = 2 * time.Minute

// settings are what a script is told by its environment.
type settings map[string]string

// run runs a script of this folder. Each line "ok …" that it prints is a subtest that
// passed; if it ends badly, its complaint is the test's.
func run(t *testing.T, script string, env settings) {
	t.Helper()
	output, complaint, err := node(t, nil, env, script)
	for line := range strings.Lines(output) {
		if promise, ok := strings.CutPrefix(strings.TrimSpace(line), "ok "); ok {
			t.Run(promise, func(*testing.T) {})
		}
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, output, complaint)
	}
	if !strings.HasSuffix(output, "done\n") {
		t.Fatalf("%s ended before it was done:\n%s%s", script, output, complaint)
	}
}

// node runs Node and returns what it printed. Nothing of the test's own environment
// reaches it but where programs are, so no proxy and no option changes what clients do.
func node(t *testing.T, input []byte, env settings, arguments ...string) (output, complaint string, err error) {
	t.Helper()
	if _, err := os.Stat("node_modules/rebilly-js-sdk"); errors.Is(err, fs.ErrNotExist) {
		t.Fatal("the clients are not installed: run `make test`, or scripts/setup-clients.sh")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, "node", arguments...)
	command.Env = []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range env {
		command.Env = append(command.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &stdout, &stderr
	err = command.Run()
	return stdout.String(), shortened(stderr.String()), err
}

// shortened cuts long lines: Node quotes the source of what failed, and the clients
// come as one line.
func shortened(text string) string {
	const enough = 400
	var short strings.Builder
	for line := range strings.Lines(text) {
		if len(line) > enough {
			line = line[:enough] + "…\n"
		}
		short.WriteString(line)
	}
	return short.String()
}

func TestTheClientsArePinnedAndTheLockFileNamesNoServer(t *testing.T) {
	text, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	var wanted struct{ Dependencies map[string]string }
	if err := json.Unmarshal(text, &wanted); err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var locked struct {
		Packages map[string]struct{ Version, Resolved, Integrity string }
	}
	if err := json.Unmarshal(text, &locked); err != nil {
		t.Fatal(err)
	}
	for name, version := range wanted.Dependencies {
		if got := locked.Packages["node_modules/"+name].Version; got != version {
			t.Errorf("%s is locked at %q, want %q exactly", name, got, version)
		}
	}
	for name, one := range locked.Packages {
		if name != "" && (one.Resolved != "" || one.Integrity == "") {
			t.Errorf("%s comes from %q with the digest %q, want a digest alone", name, one.Resolved, one.Integrity)
		}
	}
}
