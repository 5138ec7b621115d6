package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"keyward/internal/keyring"
	"keyward/internal/pgtest"
	"keyward/internal/store"
)

// writers is how many clients change things at the same time, and leastChanges how
// many changes must be acknowledged before something is killed.
const (
	writers      = 16
	leastChanges = 20
)

// seed makes the storms of one run: KEYWARD_SEED repeats what writers do, not what
// the operating system does.
func seed(t *testing.T) uint64 {
	seed := rand.Uint64()
	if text := os.Getenv("KEYWARD_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatalf("KEYWARD_SEED: %v", err)
		}
	}
	t.Logf("KEYWARD_SEED=%d", seed)
	return seed
}

// cycles returns how often to kill: KEYWARD_SOAK is for whoever has more time.
func cycles(usual, soak int) int {
	if os.Getenv("KEYWARD_SOAK") != "" {
		return soak
	}
	return usual
}

// TestKill kills a server, or its database, in the middle of a storm of changes, over
// and over. Whatever was acknowledged is there afterwards, and nothing is half there.
func TestKill(t *testing.T) {
	keyward := build(t)
	t.Run("the server on SQLite", func(t *testing.T) {
		a := newArena(t, keyward, "sqlite:"+filepath.Join(t.TempDir(), "keyward.db"))
		a.killServers(t, cycles(25, 500))
	})
	t.Run("the server on PostgreSQL", func(t *testing.T) {
		postgres := pgtest.StartServer(t, pgtest.Options{Fsync: true})
		a := newArena(t, keyward, postgres.URL("postgres"))
		a.killServers(t, cycles(10, 100))
	})
	t.Run("PostgreSQL under the server", func(t *testing.T) {
		postgres := pgtest.StartServer(t, pgtest.Options{Fsync: true})
		a := newArena(t, keyward, postgres.URL("postgres"))
		a.killDatabase(t, postgres, cycles(3, 50))
	})
}

// arena is a database with servers that come and go, and the storm's writers.
type arena struct {
	keyward  program
	database string
	data     string
	rand     *rand.Rand
	storm    *storm
}

func newArena(t *testing.T, keyward program, database string) *arena {
	seed := seed(t)
	return &arena{
		keyward: keyward, database: database, data: t.TempDir(),
		rand: rand.New(rand.NewPCG(seed, 0)), storm: newStorm(seed),
	}
}

func (a *arena) start(t *testing.T) *process {
	t.Helper()
	server := a.keyward.serve(t, []string{"KEYWARD_MASTER_KEY=" + masterKey, "KEYWARD_ROOT_TOKEN=" + rootToken},
		"--data", a.data, "--database", a.database)
	if err := a.storm.moveTo(server.url); err != nil {
		t.Fatal(err)
	}
	return server
}

// killServers kills one server after the other on the same database.
func (a *arena) killServers(t *testing.T, cycles int) {
	server := a.start(t)
	for cycle := range cycles {
		a.rage(t, cycle, server.kill)
		if a.rand.IntN(2) == 0 { // else the next server is the first to see what is left
			a.verifyChain(t)
		}
		server = a.start(t)
		a.settle(t, cycle)
	}
	a.finish(t, server, cycles)
}

// killDatabase kills the database again and again under a server that stays.
func (a *arena) killDatabase(t *testing.T, postgres *pgtest.Server, cycles int) {
	server := a.start(t)
	for cycle := range cycles {
		a.rage(t, cycle, postgres.Kill)
		if err := postgres.Restart(); err != nil {
			t.Fatal(err)
		}
		a.settle(t, cycle)
	}
	a.finish(t, server, cycles)
}

// rage lets the writers write until something is killed at some instant after
// enough was acknowledged.
func (a *arena) rage(t *testing.T, cycle int, kill func() error) {
	t.Helper()
	enough := a.storm.begin(leastChanges + a.rand.IntN(3*leastChanges))
	select {
	case <-enough:
	case <-time.After(patience):
		t.Errorf("cycle %d: %d changes were acknowledged in %v", cycle, a.storm.acknowledged.Load(), patience)
	}
	time.Sleep(time.Duration(a.rand.IntN(5000)) * time.Microsecond) // to hit any instant of a commit
	a.storm.expectFailure()
	_ = kill() // a killed process has ended with an error
	if err := a.storm.end(); err != nil {
		t.Fatalf("cycle %d: %v", cycle, err)
	}
}

// settle checks everything that was promised.
func (a *arena) settle(t *testing.T, cycle int) {
	t.Helper()
	if err := a.storm.resume(); err != nil {
		t.Fatalf("cycle %d: %v", cycle, err)
	}
	if err := a.storm.check(); err != nil {
		t.Fatalf("cycle %d: %v", cycle, err)
	}
	for _, half := range halves(t, a.database) {
		t.Errorf("cycle %d: %s", cycle, half)
	}
	if t.Failed() {
		t.FailNow()
	}
}

func (a *arena) finish(t *testing.T, server *process, cycles int) {
	t.Helper()
	if err := server.terminate(); err != nil {
		t.Errorf("stop: %v\n%s", err, server.errors)
	}
	changes := a.verifyChain(t)
	t.Logf("%d kills, %d changes acknowledged, %d requests unanswered (%d POSTs of them done), %d changes in the chain",
		cycles, a.storm.acknowledged.Load(), a.storm.unanswered, a.storm.done, changes)
}

// verifyChain checks the audit chain while no server runs.
func (a *arena) verifyChain(t *testing.T) int64 {
	t.Helper()
	ring, err := keyring.Parse(masterKey)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), a.database, store.Config{Chain: ring.AuditMAC, ChainKeyID: ring.AuditKeyID()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n, err := s.VerifyChain(t.Context(), ring.AuditMAC)
	if err != nil {
		t.Fatalf("the audit chain: %v", err)
	}
	return n
}
