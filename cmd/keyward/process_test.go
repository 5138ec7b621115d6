package main_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long any step of a process may take before it counts as stuck.
const patience = 30 * time.Second

// masterKey and rootToken are those of servers that are told them.
const (
	masterKey = "a2V5d2FyZC10ZXN0cy1tYXN0ZXIta2V5LTMyLWJ5dGU="
	rootToken = "kwop-root-token-of-a-test-that-nobody-else-uses"
)

// program is the built program, as it is shipped.
type program string

// build returns the program, which is built once for all tests.
func build(t testing.TB) program {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return program(path)
}

// built is where the program is, in a directory that TestMain makes and removes.
var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.Getenv("KEYWARD_TEST_BUILD"), "keyward")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "keyward/cmd/keyward")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return path, fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, nil
})

// command returns a command line with no more of an environment than it is given.
func (p program) command(environment []string, args ...string) *exec.Cmd {
	cmd := exec.Command(string(p), args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, environment...)
	return cmd
}

// process is a running server.
type process struct {
	cmd      *exec.Cmd
	url, ops string
	grpc     string // "" if it was not told to listen for it
	greeting string // what it printed when it was ready
	stdout   *io.PipeReader
	exited   chan error
	errors   *journal
}

// journal is what a process writes to standard error.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// free has a server listen wherever there is room.
var free = []string{"--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"}

// serve starts a server and returns when it is ready. It is killed when the test
// ends, if it is still there.
func (p program) serve(t testing.TB, environment []string, args ...string) *process {
	t.Helper()
	s, err := p.launch(p.command(environment, append(append([]string{"serve"}, free...), args...)...))
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() { _ = s.kill() })
	return s
}

// launch starts a server and returns when it has printed where it is.
func (p program) launch(cmd *exec.Cmd) (*process, error) {
	stdout, writer := io.Pipe()
	s := &process{cmd: cmd, stdout: stdout, exited: make(chan error, 1), errors: &journal{}}
	cmd.Stdout, cmd.Stderr = writer, s.errors
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.exited <- cmd.Wait()
		_ = writer.Close()
	}()
	if err := s.greeted(); err != nil {
		_ = s.kill()
		return nil, errors.Join(err, errors.New(s.errors.String()))
	}
	return s, nil
}

// greeted reads what a server prints when it is ready, and lets the rest go by.
func (s *process) greeted() error {
	stuck := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	defer stuck.Stop()
	lines := bufio.NewScanner(s.stdout)
	for lines.Scan() {
		line := lines.Text()
		s.greeting += line + "\n"
		if url, ok := strings.CutPrefix(line, "Keyward is ready at "); ok {
			s.url = url
		}
		if url, ok := strings.CutPrefix(line, "Metrics are at "); ok {
			s.ops = strings.TrimSuffix(url, "/metrics")
		}
		if address, ok := strings.CutPrefix(line, "Envoy is answered at "); ok {
			s.grpc = address
		}
		if strings.Contains(s.greeting, "/revoke") && strings.Contains(line, "/verify") { // the last line
			go func() { _, _ = io.Copy(io.Discard, s.stdout) }()
			return nil
		}
	}
	return errors.New("it ended before it was ready")
}

// kill ends a server as kill -9 does, and returns when it is gone.
func (s *process) kill() error {
	_ = s.cmd.Process.Kill() // fails only if it has ended already
	return s.wait()
}

// terminate ends a server as its supervisor does. It returns how it ended.
func (s *process) terminate() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.wait()
}

// wait returns how the server ended. It may be called again.
func (s *process) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case err := <-s.exited:
		s.exited <- err
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
