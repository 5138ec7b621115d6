package server

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"keyward"
	"keyward/internal/keyring"
)

// The files of the data directory.
const (
	masterKeyName = "master.key"
	rootTokenName = "root-token"
	lockSuffix    = ".lock" // after the name of the database
)

// prepareData makes the data directory, for its owner alone.
func prepareData(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return keyward.Errorf(keyward.Unavailable, "the data directory %s cannot be made: choose another with --data: %w", dir, err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return keyward.Errorf(keyward.Unavailable, "the data directory %s cannot be written to: let this user write there, or choose another with --data: %w", dir, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// loadKeyring finds the master key as [Config] says.
func (c Config) loadKeyring() (*keyring.Keyring, error) {
	if c.MasterKey != "" {
		return parseKeyring("KEYWARD_MASTER_KEY", c.MasterKey)
	}
	if c.MasterKeyFile != "" {
		// Platforms mount secrets with modes of their own, so this one is no refusal.
		if keyward.CodeOf(private(c.MasterKeyFile)) == keyward.Invalid {
			c.Log.Warn("others on this machine can read the master key", slog.String("file", c.MasterKeyFile))
		}
		return readKeyring(c.MasterKeyFile)
	}
	if !c.onSQLite() {
		return nil, keyward.Errorf(keyward.Invalid,
			"on PostgreSQL the master key must be given, the same on every node: set KEYWARD_MASTER_KEY to the output of: openssl rand -base64 32")
	}
	path := filepath.Join(c.Data, masterKeyName)
	err := private(path)
	if err == nil {
		return readKeyring(path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if database := c.Database[len("sqlite:"):]; exists(database) {
		return nil, keyward.Errorf(keyward.Conflict,
			"the database %s is there, but its master key %s is not: put it back, or set KEYWARD_MASTER_KEY", database, path)
	}
	if err := writePrivate(path, keyring.Generate()+"\n"); err != nil {
		return nil, err
	}
	return readKeyring(path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// private returns nil if the file is there and nobody but its owner can read it.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return keyward.Errorf(keyward.Unavailable, "the master key cannot be read: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return keyward.Errorf(keyward.Invalid, "others can read the master key %s: chmod 600 it", path)
	}
	return nil
}

func readKeyring(path string) (*keyring.Keyring, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, keyward.Errorf(keyward.Unavailable, "the master key cannot be read: %w", err)
	}
	return parseKeyring(path, string(text))
}

func parseKeyring(source, text string) (*keyring.Keyring, error) {
	ring, err := keyring.Parse(text)
	if err != nil {
		return nil, keyward.Errorf(keyward.Invalid, "%s: %v", source, err) // which does not hold the key
	}
	return ring, nil
}

// writePrivate writes a file for its owner alone: durably, and whole or not at all.
func writePrivate(path, text string) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*") // of mode 0600
	if err != nil {
		return keyward.Errorf(keyward.Unavailable, "%s cannot be written: %w", path, err)
	}
	_, err = file.WriteString(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err == nil {
		err = syncDirectory(filepath.Dir(path))
	}
	if err != nil {
		return keyward.Errorf(keyward.Unavailable, "%s cannot be written: %w", path, errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// writeRootToken writes the root operator's credential beside the database, in the
// place of an older one.
func writeRootToken(dir string, secret keyward.Secret) (string, error) {
	path := filepath.Join(dir, rootTokenName)
	return path, writePrivate(path, secret.Reveal()+"\n")
}
