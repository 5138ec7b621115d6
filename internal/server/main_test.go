package server_test

import (
	"os"
	"testing"

	"keyward/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// masterKey is that of every server on PostgreSQL here.
const masterKey = "a2V5d2FyZC10ZXN0cy1tYXN0ZXIta2V5LTMyLWJ5dGU="
