package verify_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"keyward"
	"keyward/internal/verify"
)

const noon keyward.Time = 1_800_000_000_000

// digester is a digest without a pepper.
type digester struct{}

func (digester) DigestString(secret string) keyward.Digest {
	var onStack [keyward.MaxSecretLength]byte
	return sha256.Sum256(append(onStack[:0], secret...))
}

// colliding gives every secret the same first half of a digest, so that all of
// them meet in one place of the tables.
type colliding struct{}

func (colliding) DigestString(secret string) keyward.Digest {
	digest := digester{}.DigestString(secret)
	clear(digest[:16])
	return digest
}

// neighbours gives digests that differ but all belong to the same shard.
type neighbours struct{}

func (neighbours) DigestString(secret string) keyward.Digest {
	digest := digester{}.DigestString(secret)
	digest[7], digest[6] = 0, digest[6]&0x0f
	return digest
}

// anyone may verify every key.
var anyone = &keyward.Actor{
	Type:       keyward.OperatorActor,
	Management: []keyward.Grant{{Permissions: []string{"keys.verify"}}},
}

// journal is the far end: a log in memory. Its methods are safe for concurrent use.
type journal struct {
	mu      sync.Mutex
	seq     int64
	entries []keyward.LogEntry
	states  map[string]keyward.Record // by kind and name
	away    error                     // what every read fails with, if not nil
	twice   bool                      // every page begins with a change from before
	reads   int
}

var errAway = errors.New("the log is away")

func (j *journal) commit(records ...keyward.Record) keyward.LogEntry {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.states == nil {
		j.states = make(map[string]keyward.Record)
	}
	for _, r := range records {
		j.states[name(r)] = r
	}
	j.seq++
	entry := keyward.LogEntry{Change: keyward.Change{Seq: j.seq}, Records: records}
	j.entries = append(j.entries, entry)
	return entry
}

// name sorts organizations first, as a snapshot does.
func name(r keyward.Record) string {
	switch {
	case r.Organization != nil:
		return "1 " + r.Organization.ID
	case r.Token != nil:
		return "4 " + r.Token.ID
	case r.Key != nil:
		return "2 " + r.Key.OrganizationID + " " + r.Key.KeyID
	}
	return "3 " + r.Operator.ID
}

// prune forgets all changes but the newest.
func (j *journal) prune() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = j.entries[len(j.entries)-1:]
}

func (j *journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.away = err
}

func (j *journal) Snapshot(_ context.Context, load func(keyward.Record) error) (int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.reads++
	if j.away != nil {
		return 0, j.away
	}
	for _, at := range slices.Sorted(maps.Keys(j.states)) {
		if err := load(j.states[at]); err != nil {
			return 0, err
		}
	}
	return j.seq, nil
}

func (j *journal) Entries(_ context.Context, after int64, limit int) ([]keyward.LogEntry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.reads++
	if j.away != nil {
		return nil, j.away
	}
	from, to := 0, 0
	for i, entry := range j.entries {
		if entry.Change.Seq <= after {
			from = i + 1
		}
		to = min(i+1, from+limit)
	}
	if j.twice && from > 0 && from < to {
		from--
	}
	return slices.Clone(j.entries[from:to]), nil
}

// world is an engine and the log that it lives from.
type world struct {
	*verify.Engine
	t   testing.TB
	log *journal
}

// newWorld returns a loaded engine that knows the enabled organization "org".
func newWorld(t testing.TB) *world {
	w := &world{Engine: verify.New(digester{}), t: t, log: &journal{}}
	w.log.commit(organization("org", true, false))
	w.load()
	return w
}

func (w *world) load() {
	w.t.Helper()
	if err := w.Load(w.t.Context(), w.log); err != nil {
		w.t.Fatalf("Load: %v", err)
	}
}

// commit makes a change as a writing node does.
func (w *world) commit(records ...keyward.Record) {
	w.t.Helper()
	w.deliver(w.log.commit(records...))
}

func (w *world) deliver(entry keyward.LogEntry) {
	w.t.Helper()
	if err := w.Commit(w.t.Context(), w.log, entry); err != nil {
		w.t.Fatalf("Commit(%d): %v", entry.Change.Seq, err)
	}
	if got := w.Applied(); got < entry.Change.Seq {
		w.t.Fatalf("Applied = %d after Commit(%d)", got, entry.Change.Seq)
	}
}

func (w *world) wants(secret string, want keyward.Reason) {
	w.t.Helper()
	got := w.Verify(anyone, secret, &keyward.Request{DryRun: true}, noon, new(verify.Verdict))
	if got.Reason != want {
		w.t.Errorf("Verify(%q) = %v, want %v", secret, got.Reason, want)
	}
	if known := got.Reason != keyward.Unknown && got.Version > 0; known != (want != keyward.Unknown) {
		w.t.Errorf("Verify(%q) = %v with subject %v, version %d", secret, got.Reason, got.Subject, got.Version)
	}
}

func organization(id string, enabled, deleted bool) keyward.Record {
	return keyward.Record{Organization: &keyward.OrganizationRecord{
		ID: id, Standing: keyward.Standing{Enabled: enabled, Deleted: deleted},
	}}
}

// key makes the record of an enabled key of "org" with a secret for each version.
// Its client id is "client-" and its id.
func key(id string, secrets ...string) *keyward.KeyRecord {
	k := &keyward.KeyRecord{Subject: keyward.Subject{
		OrganizationID: "org", KeyID: id, ClientID: "client-" + id, Name: "the " + id,
		Type: keyward.SecretKey, Environment: keyward.Live, Enabled: true,
	}}
	for i, secret := range secrets {
		k.Credentials = append(k.Credentials, keyward.Credential{Version: i + 1, Digest: digester{}.DigestString(secret)})
	}
	return k
}

func record(k *keyward.KeyRecord) keyward.Record { return keyward.Record{Key: k} }

// with returns the record of a changed copy of k.
func with(k *keyward.KeyRecord, change func(*keyward.KeyRecord)) keyward.Record {
	changed := *k
	changed.Credentials = slices.Clone(k.Credentials)
	change(&changed)
	return record(&changed)
}

func operator(id, secret string, change func(*keyward.OperatorRecord)) keyward.Record {
	o := &keyward.OperatorRecord{
		Operator: keyward.Operator{ID: id, Name: "the " + id, Role: keyward.Verifier, Enabled: true},
		Digest:   digester{}.DigestString(secret),
	}
	if change != nil {
		change(o)
	}
	return keyward.Record{Operator: o}
}

func numbered(prefix string, n int) string { return fmt.Sprintf("%s-%d", prefix, n) }
