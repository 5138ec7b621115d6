//go:build !unix

package server

// lockData does nothing where files have no advisory locks.
func lockData(string) (unlock func(), err error) { return func() {}, nil }
