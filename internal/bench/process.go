package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a server that this process has started.
type process struct {
	cmd    *exec.Cmd
	stderr *tail
	exited chan struct{}
	err    error // of exiting, once exited is closed
	close  func()
}

// How long servers may take. Ten million keys are read in less.
const (
	patience     = 5 * time.Minute
	stopPatience = 30 * time.Second
)

// start starts a program, with what environment there is but for settings of Keyward. Its
// input, if any, stays open after what is written to it, so
// that it can tell when this process is gone.
func start(input []byte, path string, args ...string) (*process, error) {
	cmd := exec.Command(path, args...)
	p := &process{cmd: cmd, stderr: new(tail), exited: make(chan struct{}), close: func() {}}
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "KEYWARD_") })
	cmd.Stderr = p.stderr
	cmd.SysProcAttr = ownGroup()
	if input != nil {
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		p.close = func() { _ = in.Close() }
		go func() { _, _ = in.Write(input) }() // what fails to start shows by not answering
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// stop ends the process, and kills it if it does not.
func (p *process) stop() {
	p.close()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended already
	select {
	case <-p.exited:
	case <-time.After(stopPatience):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// answers returns once the server says at a path that it is ready.
func (p *process) answers(ctx context.Context, network, address, path string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	defer transport.CloseIdleConnections()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1"+path, nil)
		if err != nil {
			return err
		}
		answer, err := transport.RoundTrip(request)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode < http.StatusInternalServerError {
				return nil
			}
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended: %w\n%s", p.cmd.Path, errors.Join(p.err, errors.New("before it was ready")), p.stderr)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w\n%s", p.cmd.Path, ctx.Err(), p.stderr)
		case <-time.After(time.Millisecond):
		}
	}
}

// freeAddress returns an address of this machine where nothing listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// tail keeps the end of what a process writes to standard error.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const kept = 4 << 10
	t.text = append(t.text, p...)
	if len(t.text) > 2*kept {
		t.text = bytes.Clone(t.text[len(t.text)-kept:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
