package pgtest_test

import (
	"fmt"
	"io"
	"os"
	"testing"

	"keyward/internal/pgtest"
)

// roleVariable names what this binary does when a test runs it as a child.
const roleVariable = "PGTEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "without Run":
		os.Exit(m.Run())
	case "hold a server":
		holdServer()
	default:
		os.Exit(pgtest.Run(m))
	}
}

// holdServer starts a server, prints its URLs and keeps it until the input ends.
func holdServer() {
	s, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.URL("postgres"))
	fmt.Println(s.SocketURL("postgres"))
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
