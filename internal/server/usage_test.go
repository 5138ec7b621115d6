package server_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"keyward"
	"keyward/internal/server"
	"keyward/internal/store"
	"keyward/internal/verify"
)

func TestUsageThatCannotBeWrittenIsKeptAndAddedOnce(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "keyward.db")
	open := func() *store.Store {
		s, err := store.Open(t.Context(), url, store.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	const keys, hour = 1200, 1_780_000_000_000 / 3_600_000 * 3_600_000 // more than a batch
	counts := make([]keyward.Usage, keys)
	for i := range counts {
		counts[i] = keyward.Usage{OrganizationID: "org", KeyID: fmt.Sprintf("k%04d", i), Hour: hour, Reason: keyward.Valid, Count: 1}
	}
	engine := verify.New(nil) // which is asked for nothing but its counts
	away := open()
	w := server.NewUsageWriter(engine, away, "node")
	if err := away.Close(); err != nil {
		t.Fatal(err)
	}
	engine.RestoreUsage(counts)
	for range 3 {
		if err := w.Flush(t.Context()); err == nil {
			t.Fatal("a store that is closed takes usage")
		}
		if got := w.Waiting(); got != keys {
			t.Fatalf("%d verifications are waiting, want %d", got, keys)
		}
	}
	engine.RestoreUsage(counts[:1]) // which is counted while the store is away

	back := open()
	w.MoveTo(back)
	for range 2 {
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		total, err := back.TotalUsage(t.Context(), store.UsageSpan{OrganizationID: "org", To: hour + 1})
		if err != nil || len(total) != 1 || total[0].Count != keys+1 {
			t.Fatalf("the total is %v, error %v, want %d", total, err, keys+1)
		}
	}
	if got := w.Waiting(); got != 0 {
		t.Errorf("%d verifications are waiting, and all are written", got)
	}
}
