//go:build !unix

package server

// lockDatabase does nothing where files have no advisory locks.
func lockDatabase(string) (unlock func(), err error) { return func() {}, nil }
