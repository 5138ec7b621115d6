package control_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/keyring"
	"keyward/internal/pgtest"
	"keyward/internal/store"
	"keyward/internal/verify"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// noon is when every test begins.
const noon keyward.Time = 1_780_000_000_000

// both runs a test on each of the databases.
func both(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	bothEmpty(t, func(t *testing.T, w *world) {
		w.bootstrap(t)
		test(t, w)
	})
}

// bothEmpty is both without a root operator.
func bothEmpty(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"SQLite": sqliteURL, "PostgreSQL": postgresURL} {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, url(t))) })
	}
}

func sqliteURL(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "keyward.db") }

func postgresURL(t testing.TB) string {
	return pgtest.Clone(t, "control", func(url string) error {
		s, err := store.Open(context.Background(), url, store.Config{})
		if err != nil {
			return err
		}
		return s.Close()
	})
}

func newRing(t testing.TB, of byte) *keyring.Keyring {
	t.Helper()
	ring, err := keyring.New(bytes.Repeat([]byte{of}, keyring.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// world is a control plane on a store of its own, with a verification engine that
// follows it, and its root operator.
type world struct {
	*control.Plane
	store  *store.Store
	engine *verify.Engine
	ring   *keyring.Keyring
	url    string
	root   keyward.Actor
	ctx    context.Context // outlives the test, for what it cleans up

	clock   atomic.Int64
	secrets []string // all that the builders were given
	hold    atomic.Pointer[func(keyward.LogEntry)]
}

func newWorld(t testing.TB, url string) *world {
	t.Helper()
	w := &world{ring: newRing(t, 7), url: url, ctx: context.WithoutCancel(t.Context())}
	w.clock.Store(int64(noon))
	w.open(t)
	t.Cleanup(func() {
		w.settle(t)
		if err := w.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

// bootstrap makes the root operator.
func (w *world) bootstrap(t testing.TB) {
	t.Helper()
	secret, err := w.Bootstrap(w.ctx, keyward.Secret{})
	want(t, "Bootstrap", err, "")
	w.secrets = append(w.secrets, secret.Reveal())
	w.root = w.signIn(t, secret)
}

// open opens the database and puts a plane and an engine on it, as a server does.
func (w *world) open(t testing.TB) {
	t.Helper()
	w.engine = verify.New(w.ring)
	var err error
	w.store, err = store.Open(w.ctx, w.url, store.Config{
		Chain: w.ring.AuditMAC, ChainKeyID: w.ring.AuditKeyID(),
		Committed: func(ctx context.Context, entry keyward.LogEntry) error {
			if hold := w.hold.Load(); hold != nil {
				(*hold)(entry)
			}
			return w.engine.Commit(ctx, w.store, entry)
		},
	})
	want(t, "open", err, "")
	w.Plane = control.New(w.store, w.ring)
	w.Clock(w.now)
	want(t, "Load", w.engine.Load(w.ctx, w.store), "")
}

// restart is what a server does that stops and starts.
func (w *world) restart(t testing.TB) {
	t.Helper()
	want(t, "close", w.store.Close(), "")
	w.open(t)
}

func (w *world) now() keyward.Time { return keyward.Time(w.clock.Load()) }

func (w *world) pass(d time.Duration) { w.clock.Add(d.Milliseconds()) }

// settle holds what is true at the end of every test: the audit trail is whole and
// tells no secret, and the replica answers as one that is loaded anew.
func (w *world) settle(t testing.TB) {
	t.Helper()
	if _, err := w.store.VerifyChain(w.ctx, w.ring.AuditMAC); err != nil {
		t.Errorf("the audit trail: %v", err)
	}
	w.wantNoSecrets(t)
	fresh := verify.New(w.ring)
	want(t, "Load", fresh.Load(w.ctx, w.store), "")
	for i, secret := range w.secrets {
		q := &keyward.Request{DryRun: true}
		is, will := w.engine.Verify(&w.root, secret, q, w.now(), new(verify.Verdict)), fresh.Verify(&w.root, secret, q, w.now(), new(verify.Verdict))
		same := is.Reason == will.Reason && is.Version == will.Version
		if same && is.Reason != keyward.Unknown {
			same = slices.Equal(is.Subject.ProjectIDs, will.Subject.ProjectIDs) && is.Subject.Name == will.Subject.Name
		}
		if !same {
			t.Errorf("secret %d: the replica answers %v, one that is loaded anew %v", i, is, will)
		}
	}
}

// wantNoSecrets searches the audit trail for every secret and its digest.
func (w *world) wantNoSecrets(t testing.TB) {
	t.Helper()
	trail, err := json.Marshal(w.events(t))
	want(t, "Marshal", err, "")
	for _, secret := range w.secrets {
		digest, plain := w.ring.DigestString(secret), sha256.Sum256([]byte(secret))
		for what, canary := range map[string]string{
			"a secret": secret, "the random part of a secret": secret[len(secret)-30 : len(secret)-6],
			"a digest": hex.EncodeToString(digest[:]), "a hash": hex.EncodeToString(plain[:]),
		} {
			if strings.Contains(string(trail), canary) {
				t.Errorf("the audit trail holds %s", what)
			}
		}
	}
}

// events returns the whole audit trail, the oldest first.
func (w *world) events(t testing.TB) []keyward.Change {
	t.Helper()
	changes, _, err := w.store.Changes(w.ctx, "", store.Page{Limit: 10_000})
	want(t, "Changes", err, "")
	return changes
}

func (w *world) head(t testing.TB) int64 {
	t.Helper()
	seq, err := w.store.Head(w.ctx)
	want(t, "Head", err, "")
	return seq
}

// signIn returns the operator with the secret as the actor that a surface makes.
func (w *world) signIn(t testing.TB, secret keyward.Secret) keyward.Actor {
	t.Helper()
	by, ok := w.engine.Operator(secret.Reveal(), w.now())
	if !ok {
		t.Fatal("the operator is not accepted")
	}
	by.IP, by.RequestID = netip.MustParseAddr("203.0.113.9"), "request-1"
	return by
}

// operator adds an operator of an organization, or of the deployment if it is nil.
func (w *world) operator(t testing.TB, role keyward.Role, of *keyward.Organization) keyward.Actor {
	t.Helper()
	o := keyward.Operator{Name: "an " + string(role), Role: role, Enabled: true}
	if of != nil {
		o.OrganizationID = &of.ID
	}
	out, err := w.CreateOperator(w.ctx, w.root, o, control.NewPassword{}, control.Once{})
	want(t, "CreateOperator", err, "")
	w.secrets = append(w.secrets, out.Secret.Reveal())
	return w.signIn(t, out.Secret)
}

// key adds a key with management to an organization, and returns it as an actor.
func (w *world) key(t testing.TB, of *keyward.Organization, management ...keyward.Grant) keyward.Actor {
	t.Helper()
	_, secret := w.create(t, of, func(k *keyward.Key) { k.Management = management })
	return w.present(t, secret)
}

// present returns the key with the secret as an actor.
func (w *world) present(t testing.TB, secret string) keyward.Actor {
	t.Helper()
	by, _, err := w.engine.Key(secret, netip.MustParseAddr("203.0.113.9"), w.now())
	want(t, "Key", err, "")
	return by
}

func (w *world) organization(t testing.TB, edits ...func(*keyward.Organization)) *keyward.Organization {
	t.Helper()
	o := keyward.Organization{Name: "an organization", Enabled: true}
	for _, edit := range edits {
		edit(&o)
	}
	out, err := w.CreateOrganization(w.ctx, w.root, o, control.Once{})
	want(t, "CreateOrganization", err, "")
	return out.Organization
}

func recoverable(o *keyward.Organization) { o.Recoverable = true }

func (w *world) project(t testing.TB, of *keyward.Organization) *keyward.Project {
	t.Helper()
	out, err := w.CreateProject(w.ctx, w.root, keyward.Project{OrganizationID: of.ID, Name: "a project"}, control.Once{})
	want(t, "CreateProject", err, "")
	return out.Project
}

// aKey is what a client sends to create a key.
func aKey(of *keyward.Organization, edits ...func(*keyward.Key)) keyward.Key {
	k := keyward.Key{
		OrganizationID: of.ID, Name: "a key", Type: keyward.SecretKey, Environment: keyward.Live, Enabled: true,
	}
	for _, edit := range edits {
		edit(&k)
	}
	return k
}

// create adds a key and returns it with its secret.
func (w *world) create(t testing.TB, of *keyward.Organization, edits ...func(*keyward.Key)) (*keyward.Key, string) {
	t.Helper()
	out, err := w.CreateKey(w.ctx, w.root, aKey(of, edits...), control.Once{})
	want(t, "CreateKey", err, "")
	w.secrets = append(w.secrets, out.Secret.Reveal())
	return out.Key, out.Secret.Reveal()
}

func in(projects ...*keyward.Project) func(*keyward.Key) {
	return func(k *keyward.Key) {
		k.ProjectIDs = nil
		for _, p := range projects {
			k.ProjectIDs = append(k.ProjectIDs, p.ID)
		}
	}
}

func managing(grants ...keyward.Grant) func(*keyward.Key) {
	return func(k *keyward.Key) { k.Management = grants }
}

// grant gives permissions everywhere.
func grant(permissions ...string) keyward.Grant { return keyward.Grant{Permissions: permissions} }

// limited gives permissions in some projects.
func limited(to []*keyward.Project, permissions ...string) keyward.Grant {
	ids := []string{}
	for _, p := range to {
		ids = append(ids, p.ID)
	}
	return keyward.Grant{Scope: keyward.Scope{"projectId": ids}, Permissions: permissions}
}

// update changes a key as the actor.
func (w *world) update(by keyward.Actor, key *keyward.Key, edit func(*keyward.Key)) error {
	_, err := w.UpdateKey(w.ctx, by, key.OrganizationID, key.ID, 0, func(k *keyward.Key) error {
		edit(k)
		return nil
	})
	return err
}

func rename(k *keyward.Key) { k.Name = "another name" }

// rotate rotates a key and returns the new secret.
func (w *world) rotate(t testing.TB, key *keyward.Key, overlap time.Duration) (*keyward.Key, string) {
	t.Helper()
	out, err := w.RotateKey(w.ctx, w.root, key.OrganizationID, key.ID, 0, keyward.Duration(overlap), control.Once{})
	want(t, "RotateKey", err, "")
	w.secrets = append(w.secrets, out.Secret.Reveal())
	return out.Key, out.Secret.Reveal()
}

func (w *world) revoke(t testing.TB, key *keyward.Key) {
	t.Helper()
	_, err := w.RevokeKey(w.ctx, w.root, key.OrganizationID, key.ID, 0, "", control.Once{})
	want(t, "RevokeKey", err, "")
}

func (w *world) delete(t testing.TB, key *keyward.Key) {
	t.Helper()
	_, err := w.DeleteKey(w.ctx, w.root, key.OrganizationID, key.ID, 0)
	want(t, "DeleteKey", err, "")
}

// reread returns the key as it is now.
func (w *world) reread(t testing.TB, key *keyward.Key) *keyward.Key {
	t.Helper()
	now, err := w.Key(w.ctx, w.root, key.OrganizationID, key.ID)
	want(t, "Key", err, "")
	return now
}

// wantVerdict asks whether a secret is good for anything at all.
func (w *world) wantVerdict(t testing.TB, what, secret string, reason keyward.Reason) {
	t.Helper()
	got := w.engine.Verify(&w.root, secret, &keyward.Request{}, w.now(), new(verify.Verdict)).Reason
	if got != reason {
		t.Errorf("verify %s: %s, want %s", what, got, reason)
	}
}

// want checks the code of an error; "" is none.
func want(t testing.TB, what string, err error, code keyward.Code) {
	t.Helper()
	switch {
	case err == nil && code == "", err != nil && code != "" && keyward.CodeOf(err) == code:
	case code == "":
		t.Fatalf("%s: %v", what, err)
	default:
		t.Errorf("%s: error %v, want the code %s", what, err, code)
	}
}

// wantPointer checks that an error names one wrong member.
func wantPointer(t testing.TB, what string, err error, pointer string) {
	t.Helper()
	want(t, what, err, keyward.Invalid)
	if fields := keyward.FieldsOf(err); len(fields) != 1 || fields[0].Pointer != pointer {
		t.Errorf("%s: wrong members %v, want %s", what, fields, pointer)
	}
}

// wantUnchanged fails if anything was committed since the log ended at head.
func (w *world) wantUnchanged(t testing.TB, what string, head int64) {
	t.Helper()
	if now := w.head(t); now != head {
		t.Errorf("%s: the log went on from %d to %d", what, head, now)
	}
}

func pointer[T any](v T) *T { return &v }
