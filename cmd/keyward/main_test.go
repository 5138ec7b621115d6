package main

import (
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

func (t tests) Run() int { return pgtest.Run(t.M) }
