package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Find returns the folder that holds the programs initdb and postgres: the first
// such folder in path, a list like $PATH, or else the highest version's in root,
// which is laid out as VERSION/bin.
func Find(path, root string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if complete(dir) {
			return dir, nil
		}
	}
	folders, err := filepath.Glob(filepath.Join(root, "*", "bin"))
	if err != nil {
		return "", err
	}
	var best string
	highest := -1.0
	for _, dir := range folders {
		version, err := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64)
		if err == nil && version > highest && complete(dir) {
			best, highest = dir, version
		}
	}
	if best == "" {
		return "", errors.New("PostgreSQL is not installed: apt-get install postgresql")
	}
	return best, nil
}

// complete reports whether dir has both programs.
func complete(dir string) bool { return executable(dir, "initdb") && executable(dir, "postgres") }

func executable(dir, program string) bool {
	file, err := os.Stat(filepath.Join(dir, program))
	return err == nil && file.Mode().IsRegular() && file.Mode()&0o111 != 0
}

// unprivileged returns whom a server started by root runs as, and nil if the
// current user is not root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root and there is no other user for it: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// locales are what initdb is asked for, best first. American English is there to
// sort unlike bytes do; not every PostgreSQL is built with it.
var locales = [][]string{
	{"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"},
	{"--locale=C.UTF-8"},
	{"--locale=C"},
}

// initialize fills the server's directory with an empty database cluster.
func (s *Server) initialize() error {
	if s.account != nil {
		if err := os.Chown(s.dir, int(s.account.Uid), int(s.account.Gid)); err != nil {
			return err
		}
	}
	var failures error
	for _, locale := range locales {
		args := append([]string{
			"-D", s.dataDir(), "-U", superuser, "--auth=trust", "--encoding=UTF8", "--no-sync",
		}, locale...)
		output, err := s.command("initdb", args...).CombinedOutput()
		if err == nil {
			return s.readVersion()
		}
		failures = errors.Join(failures, fmt.Errorf("initdb %v: %w\n%s", locale, err, output))
		if err := os.RemoveAll(s.dataDir()); err != nil {
			return errors.Join(failures, err)
		}
	}
	return failures
}

// readVersion learns the version from the file in which initdb left it.
func (s *Server) readVersion() error {
	text, err := os.ReadFile(filepath.Join(s.dataDir(), "PG_VERSION"))
	if err != nil {
		return err
	}
	s.version, err = strconv.Atoi(strings.TrimSpace(string(text)))
	return err
}
