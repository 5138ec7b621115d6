package pgtest

import (
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// A process is a running postgres, the parent of one process per connection.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended
}

// launch starts cmd so that it ends with this process, where the system can do so.
func launch(cmd *exec.Cmd) (*process, error) {
	endWithParent(cmd.SysProcAttr)
	p := &process{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// To the system, the parent is the thread that forked. The thread must
		// not end, or be reused by a goroutine that ends it, before the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		defer close(p.exited)
		_ = cmd.Wait() // how a server ended is of no interest, its log is
	}()
	return p, <-started
}

// stop asks the server to close its connections and end, and reports whether it
// did so in time.
func (p *process) stop(within time.Duration) bool {
	_ = p.cmd.Process.Signal(syscall.SIGINT) // fails only if it has ended already
	select {
	case <-p.exited:
		return true
	case <-time.After(within):
		return false
	}
}

// kill ends the server and its children at once and waits for its end.
func (p *process) kill() error {
	select {
	case <-p.exited:
		return nil
	default:
	}
	if err := killFamily(p.cmd.Process); err != nil {
		return err
	}
	<-p.exited
	return nil
}
