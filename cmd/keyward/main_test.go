package main

import (
	"fmt"
	"os"
	"testing"

	"keyward/internal/pgtest"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain runs the tests of this package; but called as keyward, as the scripts call
// it, the test binary is the program.
func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"keyward": main})
}

// tests are all tests of this package, with the PostgreSQL that they share.
type tests struct{ *testing.M }

func (t tests) Run() int {
	dir, err := os.MkdirTemp("", "keyward-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	_ = os.Setenv("KEYWARD_TEST_BUILD", dir) // where the other test package builds the program
	return pgtest.Run(t.M)
}
