//go:build unix

package server

import (
	"os"
	"syscall"

	"keyward"
)

// lockDatabase keeps a second server from an SQLite database, by a file beside it. The
// lock ends with the process, however it ends.
func lockDatabase(database string) (unlock func(), err error) {
	path := database + lockSuffix
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, keyward.Errorf(keyward.Unavailable, "%s cannot be opened: %w", path, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, keyward.Errorf(keyward.Conflict, "another server is using the database %s: stop it, or choose another directory with --data", database)
	}
	return func() { _ = file.Close() }, nil
}
