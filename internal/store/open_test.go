package store_test

import (
	"strings"
	"sync"
	"testing"

	"keyward"
	"keyward/internal/store"
)

func openPromises() map[string]promise {
	return map[string]promise{
		"a second store of the same database sees everything, and writes after it": func(t *testing.T, w *world) {
			want := w.organization(t)
			second := open(t, w.url, config())
			got, err := second.Organization(t.Context(), want.ID)
			wantEqual(t, "the organization", got, err, want)
			second.organization(t)
			w.organization(t)
			n, err := second.VerifyChain(t.Context(), chain)
			wantEqual(t, "the events verified", n, err, int64(3))
		},
		"a newer schema is refused, with what to do": func(t *testing.T, w *world) {
			w.tamper(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, $1)", true)
			_, err := store.Open(t.Context(), w.url, config())
			wantCode(t, err, keyward.Unavailable)
			if !strings.Contains(err.Error(), "999") || !strings.Contains(err.Error(), "newer program") {
				t.Errorf("the error is %q", err)
			}
		},
		"what Close cuts off is either committed or absent, as its caller is told": func(t *testing.T, w *world) {
			s := open(t, w.url, config())
			var mu sync.Mutex
			told := map[string]error{}
			var group sync.WaitGroup
			running := make(chan struct{}, 16*1000)
			for range 16 {
				group.Go(func() {
					for failed := false; !failed; {
						o := s.newOrganization()
						_, err := s.Update(t.Context(), func(tx *store.Tx) error {
							running <- struct{}{}
							return tx.InsertOrganization(t.Context(), o)
						})
						mu.Lock()
						told[o.ID] = err
						mu.Unlock()
						failed = err != nil
					}
				})
			}
			for range 40 {
				<-running
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			group.Wait()
			for id, err := range told {
				_, missing := w.Organization(t.Context(), id)
				if (err != nil) != (missing != nil) {
					t.Errorf("the caller was told %v; then the organization gave %v", err, missing)
				}
				if err != nil {
					wantCode(t, err, keyward.Unavailable)
				}
			}
		},
	}
}

func TestOpenRefusesOtherDatabases(t *testing.T) {
	for _, url := range []string{"", "keyward.db", "mysql://localhost/keyward", "SQLITE:x", "file:x"} {
		_, err := store.Open(t.Context(), url, config())
		wantCode(t, err, keyward.Invalid)
	}
}
