package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"keyward"
	"keyward/internal/filter"
	"keyward/internal/store"
)

// gate makes the first commit of a store wait, so that later updates queue up.
type gate struct {
	*world
	reached, open chan struct{}
	mu            sync.Mutex
	announced     int
}

func newGate(t *testing.T) *gate {
	g := &gate{reached: make(chan struct{}), open: make(chan struct{})}
	c := config()
	c.Committed = func(_ context.Context, entry keyward.LogEntry) error {
		if entry.Change.Seq == 1 {
			close(g.reached)
			<-g.open
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.announced++
		return nil
	}
	g.world = open(t, sqliteURL(t), c)
	return g
}

// run starts all updates, the first alone, and returns their errors when all have
// been committed or not. The rest was waiting together.
func (g *gate) run(t *testing.T, updates []func(*store.Tx) error) []error {
	t.Helper()
	failures := make([]error, len(updates))
	var group sync.WaitGroup
	start := func(i int) { group.Go(func() { _, failures[i] = g.Update(t.Context(), updates[i]) }) }
	start(0)
	<-g.reached
	for i := 1; i < len(updates); i++ {
		start(i)
	}
	for g.Waiting() < len(updates)-1 {
		runtime.Gosched()
	}
	close(g.open)
	group.Wait()
	return failures
}

// insert returns an update that makes an organization.
func (g *gate) insert(t *testing.T, o *keyward.Organization, then func() error) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		tx.Record(g.change(keyward.OrganizationCreated, o.ID, keyward.OrganizationTarget, o.ID))
		if err := tx.InsertOrganization(t.Context(), o); err != nil {
			return err
		}
		return then()
	}
}

func TestSQLiteCommitsTogetherWhatWaits(t *testing.T) {
	g := newGate(t)
	before := make([]int, 33) // what was announced when each update ran
	updates := make([]func(*store.Tx) error, len(before))
	for i := range updates {
		updates[i] = g.insert(t, g.newOrganization(), func() error {
			g.mu.Lock()
			defer g.mu.Unlock()
			before[i] = g.announced
			return nil
		})
	}
	if err := errors.Join(g.run(t, updates)...); err != nil {
		t.Fatal(err)
	}
	for i, announced := range before[1:] {
		if announced != 1 {
			t.Errorf("update %d ran after %d commits were announced, want it in one group with the others", i+1, announced)
		}
	}
}

func TestSQLiteNeighboursOfAFailure(t *testing.T) {
	for failure, fail := range map[string]func() error{
		"an error":   func() error { return errors.New("no") },
		"a panic":    func() error { panic("no") },
		"a conflict": nil,
	} {
		t.Run(failure, func(t *testing.T) {
			g := newGate(t)
			organizations := make([]*keyward.Organization, 9)
			updates := make([]func(*store.Tx) error, len(organizations))
			for i := range organizations {
				organizations[i] = g.newOrganization()
				updates[i] = g.insert(t, organizations[i], func() error { return nil })
			}
			if fail == nil {
				organizations[4].PublicID = organizations[0].PublicID
				fail = func() error { return nil }
			}
			updates[4] = g.insert(t, organizations[4], fail)
			for i, err := range g.run(t, updates) {
				_, missing := g.Organization(t.Context(), organizations[i].ID)
				if (err != nil) != (i == 4) || (missing != nil) != (i == 4) {
					t.Errorf("update %d: error %v, then %v", i, err, missing)
				}
			}
			n, err := g.VerifyChain(t.Context(), chain)
			wantEqual(t, "the events verified", n, err, int64(8))
		})
	}
}

func TestSQLiteCallerWhoGoesWhileWaiting(t *testing.T) {
	g := newGate(t)
	ctx, cancel := context.WithCancel(t.Context())
	first, late := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := g.Update(t.Context(), g.insert(t, g.newOrganization(), func() error { return nil }))
		first <- err
	}()
	<-g.reached
	go func() {
		_, err := g.Update(ctx, func(*store.Tx) error {
			t.Error("the update of a caller who has gone was run")
			return nil
		})
		late <- err
	}()
	for g.Waiting() < 1 {
		runtime.Gosched()
	}
	cancel()
	close(g.open)
	wantCode(t, <-late, keyward.Unavailable)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestSQLiteCallerWhoGoesWhileWriting(t *testing.T) {
	g := newGate(t)
	ctx, cancel := context.WithCancel(t.Context())
	late := g.newOrganization()
	nothing := func() error { return nil }
	failures := g.run(t, []func(*store.Tx) error{
		g.insert(t, g.newOrganization(), nothing),
		g.insert(t, g.newOrganization(), nothing),
		func(tx *store.Tx) error {
			cancel()
			return tx.InsertOrganization(ctx, late) // is finished all the same
		},
		g.insert(t, g.newOrganization(), nothing),
	})
	if err := errors.Join(failures...); err != nil {
		t.Error(err)
	}
	got, err := g.Organization(t.Context(), late.ID)
	wantEqual(t, "the organization of the caller who went", got, err, late)
}

func TestSQLiteKeepsNoLongStatements(t *testing.T) {
	w := open(t, sqliteURL(t), config())
	o := w.organization(t)
	list := func(values int) {
		clause := filter.Clause{Name: "name", Column: "name", Terms: make([]filter.Term, values)}
		page := store.Page{Filter: filter.Filter{clause}, Limit: 1, Now: noon}
		if _, _, err := w.Keys(t.Context(), store.KeyList{OrganizationID: o.ID, Reach: keyward.Reach{All: true}}, page); err != nil {
			t.Fatal(err)
		}
	}
	list(1)
	before := w.Prepared()
	for values := range 50 {
		list(300 + values)
	}
	if after := w.Prepared(); after != before {
		t.Errorf("%d statements are kept, want %d", after, before)
	}
}

func TestSQLitePaths(t *testing.T) {
	for _, name := range []string{"plain.db", "with space.db", "what?mode=memory.db", "a#b.db", "100%41.db", "ключ🗝.db", ":memory:", "a&b=c;d'.db"} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "folder of ? # % "+name)
			if err := os.Mkdir(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			w := open(t, "sqlite:"+filepath.Join(folder, name), config())
			want := w.organization(t)
			got, err := open(t, w.url, config()).Organization(t.Context(), want.ID)
			wantEqual(t, "the organization, through a second store,", got, err, want)
			for _, suffix := range []string{"", "-wal", "-shm"} {
				file, err := os.Stat(filepath.Join(folder, name+suffix))
				if err != nil {
					t.Fatal(err)
				}
				if got := file.Mode().Perm(); got != 0o600 {
					t.Errorf("the mode of the file %s is %o, want 600", file.Name(), got)
				}
			}
		})
	}
}

func TestSQLiteRefusesWhatIsNoDatabase(t *testing.T) {
	folder := t.TempDir()
	garbage := filepath.Join(folder, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{
		"a file of something else":       garbage,
		"a file in a missing folder":     filepath.Join(folder, "missing", "keyward.db"),
		"a file in what is no folder":    filepath.Join(garbage, "keyward.db"),
		"a folder":                       folder,
		"a file with an impossible name": filepath.Join(folder, "a\x00b"),
		"no name":                        "",
	} {
		t.Run(what, func(t *testing.T) {
			_, err := store.Open(t.Context(), "sqlite:"+path, config())
			wantCode(t, err, keyward.Unavailable)
			if !strings.Contains(err.Error(), path) {
				t.Errorf("the error %q does not name the file", err)
			}
		})
	}
}

func TestSQLiteAfterAKill(t *testing.T) {
	w := open(t, sqliteURL(t), config())
	for range 20 {
		w.key(t, w.organization(t).ID)
	}
	path, copied := strings.TrimPrefix(w.url, "sqlite:"), filepath.Join(t.TempDir(), "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if suffix != "" && len(data) == 0 {
			t.Fatal("the log is empty, so that this test shows nothing")
		}
		if err := os.WriteFile(copied+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again := open(t, "sqlite:"+copied, config())
	n, err := again.VerifyChain(t.Context(), chain)
	wantEqual(t, "the events verified", n, err, int64(40))
	again.organization(t)
}

func TestSQLiteVersions(t *testing.T) {
	for _, test := range []struct {
		version, than string
		older         bool
	}{
		{"3.51.3", "3.51.3", false},
		{"3.51.2", "3.51.3", true},
		{"3.51.10", "3.51.3", false},
		{"3.9.99", "3.51.3", true},
		{"3.52.0", "3.51.3", false},
		{"4.0.0", "3.51.3", false},
		{"3.51", "3.51.3", true},
		{"", "3.51.3", true},
	} {
		if got := store.OlderVersion(test.version, test.than); got != test.older {
			t.Errorf("OlderVersion(%q, %q) = %v", test.version, test.than, got)
		}
	}
}
