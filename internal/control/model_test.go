package control_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"keyward"
	"keyward/internal/control"
	"keyward/internal/verify"

	"pgregory.net/rapid"
)

// TestModel does random things to organizations, and compares what they answer, and
// what verification then says of every secret, with a plain reading of the rules.
func TestModel(t *testing.T) {
	for name, database := range map[string]struct {
		url   func(testing.TB) string
		oneOf int // so many runs does one do something
	}{
		"SQLite":     {sqliteURL, 1},
		"PostgreSQL": {postgresURL, 10},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, database.url(t))
			w.bootstrap(t)
			rapid.Check(t, func(r *rapid.T) {
				if rapid.IntRange(1, database.oneOf).Draw(r, "whether") > 1 {
					return
				}
				m := newModel(t, w)
				r.Repeat(map[string]func(*rapid.T){
					"create": m.create, "update": m.update, "rotate": m.rotate, "revoke": m.revoke, "delete": m.delete,
					"switch organization": m.switchOrganization, "delete organization": m.deleteOrganization,
					"delete project": m.deleteProject, "pass time": m.pass, "": m.check,
				})
			})
		})
	}
}

// model is what its organizations should hold.
type model struct {
	w             *world
	organizations []*modelOrganization
	keys          []*modelKey
}

type modelOrganization struct {
	*keyward.Organization
	projects []string // those that are there
	deleted  bool
	taken    []string // ids that clients chose
	number   int32
}

type modelKey struct {
	of               *modelOrganization
	id               string
	enabled          bool
	revoked, deleted bool
	start, expire    keyward.Time
	projects         []string
	versions         []modelVersion
}

type modelVersion struct {
	secret string
	end    keyward.Time
}

func newModel(t *testing.T, w *world) *model {
	m := &model{w: w}
	for range 2 {
		o := &modelOrganization{Organization: w.organization(t)}
		for range 2 {
			o.projects = append(o.projects, w.project(t, o.Organization).ID)
		}
		m.organizations = append(m.organizations, o)
	}
	return m
}

// expect fails unless the code of err is that of the first reason that applies.
func expect(t *rapid.T, what string, err error, reasons ...refusal) {
	t.Helper()
	var code keyward.Code
	for _, r := range reasons {
		if r.applies {
			code = r.code
			break
		}
	}
	if err == nil && code == "" || err != nil && code != "" && keyward.CodeOf(err) == code {
		return
	}
	t.Fatalf("%s: error %v, want the code %q", what, err, code)
}

// refusal is the code of an error if something applies.
type refusal struct {
	applies bool
	code    keyward.Code
}

func (k *modelKey) gone() refusal {
	return refusal{k.deleted || k.of.deleted, keyward.NotFound}
}

func (k *modelKey) expired(now keyward.Time) bool { return k.expire != 0 && k.expire <= now }

func (m *model) organization(t *rapid.T) *modelOrganization {
	return rapid.SampledFrom(m.organizations).Draw(t, "organization")
}

// key draws a key, or ends the step if there is none.
func (m *model) key(t *rapid.T) *modelKey {
	if len(m.keys) == 0 {
		t.Skip("no key yet")
	}
	return m.keys[rapid.IntRange(0, len(m.keys)-1).Draw(t, "key")]
}

// instant draws none, or one that may have passed.
func (m *model) instant(t *rapid.T, what string) keyward.Time {
	minutes := rapid.SampledFrom([]int{0, 0, -1, 1, 5, 60}).Draw(t, what)
	if minutes == 0 {
		return 0
	}
	return m.w.now().Add(time.Duration(minutes) * time.Minute)
}

func drawProjects(t *rapid.T, o *modelOrganization) []string {
	if len(o.projects) == 0 {
		return []string{}
	}
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(o.projects), 0, len(o.projects), rapid.ID[string]).Draw(t, "projects")
	slices.Sort(some)
	return some
}

func (m *model) create(t *rapid.T) {
	o := m.organization(t)
	k := &modelKey{
		of: o, id: rapid.SampledFrom([]string{"", "", "a", "b", "c"}).Draw(t, "id"),
		enabled: rapid.IntRange(0, 4).Draw(t, "enabled") > 0, projects: drawProjects(t, o),
		start: m.instant(t, "start"), expire: m.instant(t, "expire"),
	}
	out, err := m.w.CreateKey(m.w.ctx, m.w.root, aKey(o.Organization, func(key *keyward.Key) {
		key.ID, key.Enabled, key.ProjectIDs, key.StartTime, key.ExpireTime = k.id, k.enabled, k.projects, k.start, k.expire
	}), control.Once{})
	expect(t, "create", err,
		refusal{o.deleted, keyward.NotFound}, refusal{m.wrongDates(k, 0), keyward.Invalid},
		refusal{slices.Contains(o.taken, k.id), keyward.Conflict})
	if err != nil {
		return
	}
	if o.number++; out.Key.Number != o.number {
		t.Fatalf("the key has the number %d, want %d", out.Key.Number, o.number)
	}
	if k.id != "" {
		o.taken = append(o.taken, k.id)
	}
	k.id, k.versions = out.Key.ID, []modelVersion{{secret: out.Secret.Reveal()}}
	m.keys = append(m.keys, k)
}

// wrongDates reports whether a key's dates contradict each other, or its end is a
// new one that has passed.
func (m *model) wrongDates(k *modelKey, was keyward.Time) bool {
	return k.start != 0 && k.expire != 0 && k.expire <= k.start || k.expire != was && k.expired(m.w.now())
}

func (m *model) update(t *rapid.T) {
	k := m.key(t)
	next := *k
	switch rapid.SampledFrom([]string{"enabled", "expire", "start", "projects", "nothing"}).Draw(t, "field") {
	case "enabled":
		next.enabled = !k.enabled
	case "expire":
		next.expire = m.instant(t, "expire")
	case "start":
		next.start = m.instant(t, "start")
	case "projects":
		next.projects = drawProjects(t, k.of)
	}
	_, err := m.w.UpdateKey(m.w.ctx, m.w.root, k.of.ID, k.id, 0, func(key *keyward.Key) error {
		key.Enabled, key.ProjectIDs, key.StartTime, key.ExpireTime = next.enabled, next.projects, next.start, next.expire
		return nil
	})
	expect(t, "update", err, k.gone(), refusal{k.revoked, keyward.Conflict}, refusal{m.wrongDates(&next, k.expire), keyward.Invalid})
	if err == nil {
		*k = next
	}
}

func (m *model) rotate(t *rapid.T) {
	k, now := m.key(t), m.w.now()
	overlap := time.Duration(rapid.SampledFrom([]int{0, 1, 30, 90}).Draw(t, "overlap")) * time.Minute
	next := slices.Clone(k.versions)
	live := 0
	for i := range next {
		for _, end := range []keyward.Time{now.Add(overlap), k.expire} {
			if end != 0 && (next[i].end == 0 || end < next[i].end) {
				next[i].end = end
			}
		}
		if next[i].end > now {
			live++
		}
	}
	out, err := m.w.RotateKey(m.w.ctx, m.w.root, k.of.ID, k.id, 0, keyward.Duration(overlap), control.Once{})
	expect(t, "rotate", err, k.gone(), refusal{k.revoked || k.expired(now) || live >= keyward.MaxVersions, keyward.Conflict})
	if err == nil {
		k.versions = append(next, modelVersion{secret: out.Secret.Reveal()})
	}
}

func (m *model) revoke(t *rapid.T) {
	k := m.key(t)
	_, err := m.w.RevokeKey(m.w.ctx, m.w.root, k.of.ID, k.id, 0, "", control.Once{})
	expect(t, "revoke", err, k.gone())
	k.revoked = k.revoked || err == nil
}

func (m *model) delete(t *rapid.T) {
	k := m.key(t)
	_, err := m.w.DeleteKey(m.w.ctx, m.w.root, k.of.ID, k.id, 0)
	expect(t, "delete", err, k.gone())
	k.deleted = k.deleted || err == nil
}

func (m *model) switchOrganization(t *rapid.T) {
	o := m.organization(t)
	_, err := m.w.UpdateOrganization(m.w.ctx, m.w.root, o.ID, func(now *keyward.Organization) error {
		now.Enabled = !o.Enabled
		return nil
	})
	expect(t, "switch the organization", err, refusal{o.deleted, keyward.NotFound})
	if err == nil {
		o.Enabled = !o.Enabled
	}
}

func (m *model) deleteOrganization(t *rapid.T) {
	o := m.organization(t)
	if rapid.IntRange(0, 4).Draw(t, "whether") > 0 {
		return // seldom, as little happens afterwards
	}
	_, err := m.w.DeleteOrganization(m.w.ctx, m.w.root, o.ID)
	expect(t, "delete the organization", err, refusal{o.deleted, keyward.NotFound})
	o.deleted = true
}

func (m *model) deleteProject(t *rapid.T) {
	o := m.organization(t)
	if len(o.projects) == 0 {
		return
	}
	id := rapid.SampledFrom(o.projects).Draw(t, "project")
	_, err := m.w.DeleteProject(m.w.ctx, m.w.root, o.ID, id)
	expect(t, "delete a project", err, refusal{o.deleted, keyward.NotFound})
	if err != nil {
		return
	}
	other := func(p string) bool { return p == id }
	o.projects = slices.DeleteFunc(o.projects, other)
	for _, k := range m.keys {
		if k.of == o {
			k.projects = slices.DeleteFunc(slices.Clone(k.projects), other)
		}
	}
}

func (m *model) pass(t *rapid.T) {
	m.w.pass(time.Duration(rapid.IntRange(1, 60*60_000).Draw(t, "milliseconds")) * time.Millisecond)
}

// check compares the answer to every secret, and one key as it is read.
func (m *model) check(t *rapid.T) {
	now := m.w.now()
	for _, k := range m.keys {
		for i, v := range k.versions {
			got := m.w.engine.Verify(&m.w.root, v.secret, &keyward.Request{}, now, new(verify.Verdict))
			reason := k.reason(v, now)
			if got.Reason != reason || reason != keyward.Unknown && (got.Version != i+1 || !slices.Equal(got.Subject.ProjectIDs, k.projects)) {
				t.Fatalf("version %d of key %s: %+v, want %s in %v", i+1, k.id, got, reason, k.projects)
			}
		}
	}
	if len(m.keys) == 0 {
		return
	}
	k := m.keys[rapid.IntRange(0, len(m.keys)-1).Draw(t, "key")]
	key, err := m.w.Key(m.w.ctx, m.w.root, k.of.ID, k.id)
	expect(t, "read", err, k.gone())
	if err != nil {
		return
	}
	ends := []keyward.Time{}
	for _, v := range key.Versions {
		ends = append(ends, v.ExpireTime)
	}
	if got, want := fmt.Sprint(key.Enabled, key.RevokedTime != 0, key.StartTime, key.ExpireTime, key.ProjectIDs, ends), k.String(); got != want {
		t.Fatalf("key %s is\n%s, want\n%s", k.id, got, want)
	}
}

func (k *modelKey) String() string {
	ends := []keyward.Time{}
	for _, v := range k.versions {
		ends = append(ends, v.end)
	}
	return fmt.Sprint(k.enabled, k.revoked, k.start, k.expire, k.projects, ends)
}

func (k *modelKey) reason(v modelVersion, now keyward.Time) keyward.Reason {
	switch {
	case k.deleted:
		return keyward.Unknown
	case k.revoked || k.of.deleted:
		return keyward.Revoked
	case !k.enabled || !k.of.Enabled:
		return keyward.Disabled
	case k.start > now:
		return keyward.NotStarted
	case k.expired(now) || v.end != 0 && v.end <= now:
		return keyward.Expired
	}
	return keyward.Valid
}
