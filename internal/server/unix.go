package server

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"keyward"
)

// unixPrefix is what the address of a UNIX socket begins with.
const unixPrefix = "unix:"

// socketMode lets the owner and the group of a UNIX socket connect, and nobody else:
// coming through it is a proof.
const socketMode = 0o660

// listenUnix listens on a UNIX socket, whose file goes when the listener is closed. The
// file of a server that has died is replaced.
func listenUnix(flag, path string) (net.Listener, error) {
	if err := removeStale(flag, path); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, keyward.Errorf(keyward.Unavailable, "cannot listen on %s: choose another path with %s: %w", path, flag, err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		_ = listener.Close()
		return nil, keyward.Errorf(keyward.Unavailable, "cannot say who may use %s: %w", path, err)
	}
	return listener, nil
}

// removeStale removes a socket that nobody listens on. What is not one stays.
func removeStale(flag, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return nil // nothing is there, or listening says what is wrong
	}
	if info.Mode().Type() != fs.ModeSocket {
		return keyward.Errorf(keyward.Invalid, "%s unix:%s: there is a file that is no socket; remove it or choose another path", flag, path)
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		_ = conn.Close()
		return keyward.Errorf(keyward.Unavailable, "%s unix:%s is in use: another server listens there; stop it or choose another path", flag, path)
	case !errors.Is(err, syscall.ECONNREFUSED):
		return keyward.Errorf(keyward.Unavailable, "%s unix:%s: there is a socket that cannot be looked at: %w", flag, path, err)
	}
	if err := os.Remove(path); err != nil {
		return keyward.Errorf(keyward.Unavailable, "%s unix:%s was left by another server and cannot be removed: %w", flag, path, err)
	}
	return nil
}
