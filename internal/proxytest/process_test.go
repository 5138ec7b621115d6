package proxytest_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a proxy may take to start, and to end.
const patience = 10 * time.Second

// start runs a proxy in the foreground until the test ends, and waits until it listens.
func start(t *testing.T, address, program string, arguments ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		path, err = exec.LookPath(filepath.Join("/usr/sbin", program))
	}
	if err != nil {
		t.Fatalf("%s is not installed: run `make test`, or scripts/setup-test.sh", program)
	}
	home := t.TempDir()
	cmd := exec.Command(path, arguments...)
	cmd.Dir, cmd.Env = home, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_DATA_HOME=" + home}
	var output bytes.Buffer // read only after the program has ended
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = new(syscall.SysProcAttr)
	endWithParent(cmd.SysProcAttr)
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// To the system, the parent is the thread that forked, so the thread must last.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is of no interest, what it said is
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended already
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", program, output.String())
		}
	})
	for deadline := time.Now().Add(patience); ; {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended at once", program)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen: %v", program, err)
		}
	}
}

// freeAddress returns one that nothing listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// block returns the first block of a language on a page of the guide.
func block(t *testing.T, page, language string) string {
	t.Helper()
	_, rest, begins := strings.Cut(read(t, page), "\n```"+language+"\n")
	code, _, ends := strings.Cut(rest, "\n```\n")
	if !begins || !ends {
		t.Fatalf("%s has no block of %s", page, language)
	}
	return code + "\n"
}

// read returns a page of the guide.
func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs/guide", page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// replace puts something in the place of what a configuration must hold.
func replace(t *testing.T, config, old, with string) string {
	t.Helper()
	if !strings.Contains(config, old) {
		t.Fatalf("the configuration lacks %q:\n%s", old, config)
	}
	return strings.ReplaceAll(config, old, with)
}

// write writes a file that ends with the test.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
