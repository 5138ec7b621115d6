//go:build unix

package main_test

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

func TestStartsWhereNothingCanBeWritten(t *testing.T) {
	keyward := build(t)
	t.Run("below a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		write(t, file, "")
		start{args: []string{"--data", filepath.Join(file, "data")}, says: []string{file, "--data"}}.refused(t, keyward)
	})
	t.Run("in somebody else's directory", func(t *testing.T) {
		data := filepath.Join(openPath(t, filepath.Dir(string(keyward))), "data")
		must(t, os.Mkdir(data, 0o555))
		s := start{says: []string{data, "cannot be written"}}
		cmd := keyward.command(nil, append(append([]string{"serve"}, free...), "--data", data)...)
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: nobody(t)}
		s.refusedAs(t, cmd)
		if found := contents(t, data); len(found) > 0 {
			t.Errorf("it left %d files", len(found))
		}
	})
}

// openPath lets everybody into a directory below the test's temporary one.
func openPath(t *testing.T, dir string) string {
	t.Helper()
	for at := dir; at != filepath.Dir(at) && at != filepath.Clean(os.TempDir()); at = filepath.Dir(at) {
		must(t, os.Chmod(at, 0o755))
	}
	return dir
}

// nobody is whom a process runs as that modes of files bind, as they do not bind root;
// nil for everybody else.
func nobody(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	account, err := user.Lookup("nobody")
	must(t, err)
	id, err := strconv.ParseUint(account.Uid, 10, 32)
	must(t, err)
	return &syscall.Credential{Uid: uint32(id), Gid: uint32(id)}
}
