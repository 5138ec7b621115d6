package pgtest

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// endWithParent has the kernel send SIGQUIT, on which postgres ends at once with all
// its children, when the parent dies.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }

// killFamily kills a server and its children. The server is stopped first, so that
// it neither has more of them nor sees them die.
func killFamily(server *os.Process) error {
	if err := server.Signal(syscall.SIGSTOP); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	// Without the list, the children notice by themselves that their parent is gone.
	list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", server.Pid))
	for _, field := range strings.Fields(string(list)) {
		if pid, err := strconv.Atoi(field); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // fails only if it has ended already
		}
	}
	if err := server.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
