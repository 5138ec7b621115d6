package store_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/pgtest"
	"keyward/internal/store"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// noon is when everything in these tests happens.
const noon keyward.Time = 1_780_000_000_000

func chain(previous, event []byte) []byte {
	mac := hmac.New(sha256.New, []byte("a key for tests"))
	mac.Write(previous)
	mac.Write(event)
	return mac.Sum(nil)
}

func config() store.Config { return store.Config{Chain: chain, ChainKeyID: "chain-1"} }

// sqliteURL names a database file that is not there yet.
func sqliteURL(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "keyward.db")
}

// postgresURL names a database that is migrated already.
func postgresURL(t testing.TB) string {
	return pgtest.Clone(t, "store", func(url string) error {
		s, err := store.Open(context.Background(), url, config())
		if err != nil {
			return err
		}
		return s.Close()
	})
}

// world is an open store and what it takes to fill it.
type world struct {
	*store.Store
	url string
	ids keyward.IDs
	now keyward.Time
}

func open(t testing.TB, url string, config store.Config) *world {
	t.Helper()
	s, err := store.Open(t.Context(), url, config)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &world{Store: s, url: url, now: noon}
}

// database opens the same database past the store.
func (w *world) database(t testing.TB) *sql.DB {
	t.Helper()
	driver, source := "pgx", w.url
	if path, isFile := strings.CutPrefix(w.url, "sqlite:"); isFile {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// tamper runs a statement past the store.
func (w *world) tamper(t testing.TB, statement string, args ...any) {
	t.Helper()
	if _, err := w.database(t).ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// update runs fn in a transaction that must succeed.
func (w *world) update(t testing.TB, fn func(*store.Tx) error) keyward.Change {
	t.Helper()
	change, err := w.Update(t.Context(), fn)
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	return change
}

// refused runs fn in a transaction that must fail with the code.
func (w *world) refused(t testing.TB, code keyward.Code, fn func(*store.Tx) error) error {
	t.Helper()
	_, err := w.Update(t.Context(), fn)
	wantCode(t, err, code)
	return err
}

// change returns a change to be recorded.
func (w *world) change(action keyward.Action, organizationID, targetType, targetID string) keyward.Change {
	c := keyward.Change{
		ID: w.ids.New(keyward.EventPrefix, w.now), Time: w.now, Action: action, Outcome: keyward.Succeeded,
		Actor:          keyward.ChangeActor{Type: keyward.OperatorActor, ID: "opr_1", Name: "the <root> & others"},
		OrganizationID: pointer(organizationID), Target: keyward.ChangeTarget{Type: targetType, ID: targetID},
		IP: pointer("203.0.113.9"), RequestID: pointer("request 1"),
		Changes: []keyward.FieldChange{{Field: "/name", Before: json.RawMessage(`null`), After: json.RawMessage(`"ä<&>"`)}},
	}
	if organizationID == "" {
		c.OrganizationID = nil
	}
	return c
}

func (w *world) newOrganization(edits ...func(*keyward.Organization)) *keyward.Organization {
	o := &keyward.Organization{
		ID: w.ids.New(keyward.OrganizationPrefix, w.now), PublicID: keyward.NewPublicID(), Name: "An Organization",
		Prefix: "kw", Enabled: true, CreatedTime: w.now, UpdatedTime: w.now,
	}
	for _, edit := range edits {
		edit(o)
	}
	return o
}

// organization adds an organization.
func (w *world) organization(t testing.TB, edits ...func(*keyward.Organization)) *keyward.Organization {
	t.Helper()
	o := w.newOrganization(edits...)
	w.update(t, func(tx *store.Tx) error {
		tx.Record(w.change(keyward.OrganizationCreated, o.ID, keyward.OrganizationTarget, o.ID))
		return tx.InsertOrganization(t.Context(), o)
	})
	return o
}

func (w *world) newProject(organizationID string) *keyward.Project {
	return &keyward.Project{
		ID: w.ids.New(keyward.ProjectPrefix, w.now), PublicID: keyward.NewPublicID(), OrganizationID: organizationID,
		Name: "A Project", CreatedTime: w.now, UpdatedTime: w.now,
	}
}

// project adds a project.
func (w *world) project(t testing.TB, organizationID string) *keyward.Project {
	t.Helper()
	p := w.newProject(organizationID)
	w.update(t, func(tx *store.Tx) error {
		tx.Record(w.change(keyward.ProjectCreated, organizationID, keyward.ProjectTarget, p.ID))
		return tx.InsertProject(t.Context(), p)
	})
	return p
}

func (w *world) newKey(organizationID string, edits ...func(*keyward.Key)) *keyward.Key {
	k := &keyward.Key{
		ID: w.ids.New(keyward.KeyPrefix, w.now), ClientID: keyward.NewClientID(), OrganizationID: organizationID,
		Name: "A Key", Type: keyward.SecretKey, Environment: keyward.Live, Enabled: true, Metadata: json.RawMessage(`{}`),
		Versions:  []keyward.Version{{Version: 1, CreatedTime: w.now}},
		CreatedBy: "opr_1", CreatedTime: w.now, UpdatedTime: w.now, Revision: 1,
	}
	for _, edit := range edits {
		edit(k)
	}
	k.Normalize()
	return k
}

// key adds a key whose secret is its client id.
func (w *world) key(t testing.TB, organizationID string, edits ...func(*keyward.Key)) *keyward.Key {
	t.Helper()
	k := w.newKey(organizationID, edits...)
	w.update(t, func(tx *store.Tx) error {
		tx.Record(w.change(keyward.KeyCreated, organizationID, keyward.KeyTarget, k.ID))
		return tx.InsertKey(t.Context(), k, secret(k.ClientID))
	})
	return k
}

func (w *world) newOperator(edits ...func(*keyward.Operator)) *keyward.Operator {
	o := &keyward.Operator{
		ID: w.ids.New(keyward.OperatorPrefix, w.now), Name: "An Operator", Role: keyward.Owner, Enabled: true,
		CreatedBy: "opr_1", CreatedTime: w.now, UpdatedTime: w.now,
	}
	for _, edit := range edits {
		edit(o)
	}
	return o
}

// operator adds an operator whose secret is its id.
func (w *world) operator(t testing.TB, edits ...func(*keyward.Operator)) *keyward.Operator {
	t.Helper()
	o := w.newOperator(edits...)
	w.update(t, func(tx *store.Tx) error {
		tx.Record(w.change(keyward.OperatorCreated, "", keyward.OperatorTarget, o.ID))
		return tx.InsertOperator(t.Context(), o, credential(o.ID))
	})
	return o
}

// credential returns what is kept of a secret.
func credential(text string) store.Credential {
	return store.Credential{Digest: sha256.Sum256([]byte(text)), PepperID: "pepper-1", Hint: "hint of " + text}
}

func secret(text string) func(*keyward.Key) (store.Credential, error) {
	return func(*keyward.Key) (store.Credential, error) { return credential(text), nil }
}

// sealed returns a credential whose secret is kept.
func sealed(text string) store.Credential {
	c := credential(text)
	c.Sealed = &store.Sealed{WrappingID: "wrapping-1", Wrapped: []byte{0, 1, 255}, Box: []byte("box of " + text)}
	return c
}

func pointer[T any](v T) *T { return &v }

func wantCode(t testing.TB, err error, want keyward.Code) {
	t.Helper()
	if err == nil || keyward.CodeOf(err) != want {
		t.Errorf("error = %v, want the code %s", err, want)
	}
}

// wantEqual compares what a call returned.
func wantEqual(t testing.TB, what string, got any, err error, want any) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is not what was expected (-want +got):\n%s", what, diff)
	}
}

// wantNoTrace fails if a table is not empty.
func (w *world) wantNoTrace(t testing.TB, table string) {
	t.Helper()
	var n int
	err := w.database(t).QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n)
	if err != nil || n != 0 {
		t.Errorf("%s has %d rows, error %v; want none", table, n, err)
	}
}

// hex returns n as 64 digits, a simple way to distinct texts.
func hex(n int) string { return fmt.Sprintf("%064x", n) }
