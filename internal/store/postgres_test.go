package store_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"keyward"
	"keyward/internal/pgtest"
	"keyward/internal/store"
)

func TestPostgresRunsLostRacesAgain(t *testing.T) {
	w := open(t, postgresURL(t)+"&default_transaction_isolation=serializable", config())
	o := w.organization(t)
	const writers = 16
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			_, err := w.Update(t.Context(), func(tx *store.Tx) error {
				o, err := tx.Organization(t.Context(), o.ID)
				if err != nil {
					return err
				}
				o.UpdatedTime++
				return tx.UpdateOrganization(t.Context(), o)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	o.UpdatedTime += writers
	got, err := w.Organization(t.Context(), o.ID)
	wantEqual(t, "the organization, counted up by all,", got, err, o)
}

func TestPostgresEndsDeadlocks(t *testing.T) {
	w := open(t, postgresURL(t), config())
	a, b := w.organization(t).ID, w.organization(t).ID
	var both, group sync.WaitGroup
	both.Add(2)
	for _, ids := range [][]string{{a, b}, {b, a}} {
		var once sync.Once
		group.Go(func() {
			_, err := w.Update(t.Context(), func(tx *store.Tx) error {
				if _, err := tx.LockOrganization(t.Context(), ids[0]); err != nil {
					return err
				}
				once.Do(func() { both.Done(); both.Wait() })
				_, err := tx.LockOrganization(t.Context(), ids[1])
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestPostgresLostAndFound(t *testing.T) {
	server := pgtest.StartServer(t, pgtest.Options{})
	w := open(t, server.URL("postgres"), config())
	o := w.organization(t)
	everybody := func(check func(error)) { // uses all connections at once
		var group sync.WaitGroup
		for i := range 32 {
			group.Go(func() {
				_, err := w.Organization(t.Context(), o.ID)
				if i%2 == 0 {
					_, err = w.Update(t.Context(), func(tx *store.Tx) error {
						_, err := tx.Organization(t.Context(), o.ID)
						return err
					})
				}
				check(err)
			})
		}
		group.Wait()
	}
	succeeds := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		everybody(succeeds)
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		everybody(func(err error) { wantCode(t, err, keyward.Unavailable) })
		wantCode(t, w.View(t.Context(), func(*store.View) error { return nil }), keyward.Unavailable)
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("it took %s to say so", took)
		}
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		everybody(succeeds)
		everybody(succeeds)
		if err := server.Restart(); err != nil { // all connections die while nobody looks
			t.Fatal(err)
		}
	}
	w.organization(t)
}

func TestPostgresStuckTransaction(t *testing.T) {
	w := open(t, postgresURL(t), config())
	o := w.organization(t)
	locked, release, stuck := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		_, err := w.Update(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.LockOrganization(t.Context(), o.ID); err != nil {
				return err
			}
			once.Do(func() { close(locked); <-release })
			return tx.UpdateOrganization(t.Context(), o)
		})
		stuck <- err
	}()
	<-locked
	start := time.Now()
	// Either the lock or the transaction that holds it is given up.
	_, err := w.Update(t.Context(), func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), o) })
	if err != nil {
		wantCode(t, err, keyward.Unavailable)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("a stuck transaction held up another for %s", took)
	}
	w.key(t, w.organization(t).ID)
	if err == nil {
		close(release)
		wantCode(t, <-stuck, keyward.Unavailable)
		return
	}
	close(release)
	<-stuck
}

func TestPostgresRefusals(t *testing.T) {
	const password = "hunter2"
	url := strings.Replace(postgresURL(t), "postgres@", "postgres:"+password+"@", 1)
	for what, test := range map[string]struct {
		url  string
		code keyward.Code
		says string
	}{
		"commits that are not durable": {url + "&synchronous_commit=off", keyward.Unavailable, "synchronous_commit"},
		"a role that does not exist":   {strings.Replace(url, "postgres:"+password, "nobody:"+password, 1), keyward.Unavailable, "127.0.0.1"},
		"a missing database":           {strings.Replace(url, "/test_", "/missing_", 1), keyward.Unavailable, "missing_"},
		"a port where nobody listens":  {"postgres://postgres:" + password + "@127.0.0.1:1/x?sslmode=disable", keyward.Unavailable, "127.0.0.1:1"},
		"a URL that cannot be read":    {"postgres://postgres:" + password + "@127.0.0.1:port/x", keyward.Invalid, "URL"},
		"an unknown setting":           {url + "&sslmode=perhaps", keyward.Invalid, "URL"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := store.Open(t.Context(), test.url, config())
			wantCode(t, err, test.code)
			if err != nil && (strings.Contains(err.Error(), password) || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("the error %q has the password in it, or does not say %q", err, test.says)
			}
		})
	}
}

func TestPostgresNodesThatStartTogether(t *testing.T) {
	url := pgtest.Database(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			s, err := store.Open(t.Context(), url, config())
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	open(t, url, config()).organization(t)
}

func TestPostgresRunsAgainWhatWatchedAThingThatChanged(t *testing.T) {
	w := open(t, postgresURL(t), config())
	o, other := w.organization(t), w.organization(t)
	touch := func(action keyward.Action, target string) {
		w.update(t, func(tx *store.Tx) error {
			tx.Record(w.change(action, target, keyward.OrganizationTarget, target))
			return nil
		})
	}
	for name, test := range map[string]struct {
		action  keyward.Action
		changed string
		runs    int
	}{
		"the thing itself":            {keyward.OrganizationUpdated, o.ID, 2},
		"another":                     {keyward.OrganizationUpdated, other.ID, 1},
		"nothing: its keys were read": {keyward.KeyRevealed, o.ID, 1},
		"nothing: it has signed in":   {keyward.SessionCreated, o.ID, 1},
	} {
		t.Run(name, func(t *testing.T) {
			runs := 0
			_, err := w.Update(t.Context(), func(tx *store.Tx) error {
				if err := tx.Watch(t.Context(), o.ID); err != nil {
					return err
				}
				if runs++; runs == 1 {
					touch(test.action, test.changed)
				}
				tx.Record(w.change(keyward.OrganizationUpdated, o.ID, keyward.OrganizationTarget, o.ID))
				return nil
			})
			if err != nil || runs != test.runs {
				t.Errorf("Update ran %d times, %v; want %d", runs, err, test.runs)
			}
		})
	}
}
