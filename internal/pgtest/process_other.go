//go:build unix && !linux

package pgtest

import (
	"errors"
	"os"
	"syscall"
)

// endWithParent does nothing: only Linux tells a process of its parent's death.
func endWithParent(*syscall.SysProcAttr) {}

// killFamily has the server end itself and its children without writing anything.
func killFamily(server *os.Process) error {
	if err := server.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
