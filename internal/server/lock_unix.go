//go:build unix

package server

import (
	"os"
	"path/filepath"
	"syscall"

	"keyward"
)

// lockData keeps a second server from the data directory. The lock ends with the
// process, however it ends.
func lockData(dir string) (unlock func(), err error) {
	path := filepath.Join(dir, lockName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, keyward.Errorf(keyward.Unavailable, "%s cannot be opened: %w", path, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, keyward.Errorf(keyward.Conflict, "another server is using the data directory %s: stop it, or choose another directory with --data", dir)
	}
	return func() { _ = file.Close() }, nil
}
