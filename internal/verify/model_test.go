package verify_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"keyward"
	"keyward/internal/verify"
)

// model is the same in the simplest way: everything is looked through each time.
type model struct {
	keys          map[string]*keyward.KeyRecord
	organizations map[string]keyward.Standing
}

func (m *model) verify(digest keyward.Digest) (keyward.Reason, int) {
	for _, k := range m.keys {
		for _, c := range k.Credentials {
			if c.Digest == digest && !k.Deleted {
				return keyward.Decide(anyone, &k.Subject, m.organizations[k.OrganizationID], c.ExpireTime,
					&keyward.Request{}, keyward.Unlimited, noon), c.Version
			}
		}
	}
	return keyward.Unknown, 0
}

func (m *model) size() (organizations, keys int) {
	for _, o := range m.organizations {
		if !o.Deleted {
			organizations++
		}
	}
	for _, k := range m.keys {
		if !k.Deleted {
			keys++
		}
	}
	return organizations, keys
}

// history drives a model and an engine through the same random changes.
type history struct {
	*world
	*model
	random  *rand.Rand
	digests verify.Digester
	secrets []string // every one there ever was
}

func (h *history) organization() string { return numbered("org", h.random.IntN(4)) }

func (h *history) credential(version int) keyward.Credential {
	secret := numbered("s", len(h.secrets))
	h.secrets = append(h.secrets, secret)
	return keyward.Credential{Version: version, Digest: h.digests.DigestString(secret)}
}

// change makes one random change in the model and returns its records.
func (h *history) change() []keyward.Record {
	switch h.random.IntN(12) {
	case 0, 1, 2:
		k := key(numbered("k", len(h.keys)))
		k.OrganizationID = h.organization()
		k.Credentials = []keyward.Credential{h.credential(1)}
		h.keys[k.KeyID] = k
		return []keyward.Record{record(k)}
	case 3:
		id := h.organization()
		standing := keyward.Standing{Enabled: h.random.IntN(2) == 0, Deleted: h.organizations[id].Deleted || h.random.IntN(20) == 0}
		h.organizations[id] = standing
		return []keyward.Record{organization(id, standing.Enabled, standing.Deleted)}
	case 4:
		return nil
	}
	old := h.keys[numbered("k", h.random.IntN(max(1, len(h.keys))))]
	if old == nil || old.Deleted {
		return nil
	}
	r := with(old, h.alter)
	h.keys[old.KeyID] = r.Key
	return []keyward.Record{r}
}

func (h *history) alter(k *keyward.KeyRecord) {
	switch h.random.IntN(6) {
	case 0:
		k.RevokedTime = noon
	case 1:
		k.Deleted = true
	case 2:
		k.Enabled = !k.Enabled
	case 3: // the oldest version vanishes
		if len(k.Credentials) > 1 {
			k.Credentials = k.Credentials[1:]
		}
	default: // rotation, with some overlap or none
		for i := range k.Credentials {
			k.Credentials[i].ExpireTime = noon + keyward.Time(h.random.IntN(2))
		}
		next := k.Credentials[len(k.Credentials)-1].Version + 1
		k.Credentials = append(k.Credentials, h.credential(next))
	}
}

// deliver brings the engine up to date in one of the ways there are.
func (h *history) deliver(entry keyward.LogEntry) {
	switch h.random.IntN(8) {
	case 0: // not at all, for now
		return
	case 1:
		h.load()
	case 2:
		if err := h.CatchUp(h.t.Context(), h.log); err != nil {
			h.t.Fatal(err)
		}
	default:
		h.world.deliver(entry)
	}
	for _, secret := range h.secrets {
		want, version := h.model.verify(h.digests.DigestString(secret))
		got := h.Verify(anyone, secret, &keyward.Request{}, noon, new(verify.Verdict))
		if got.Reason != want || got.Version != version {
			h.t.Fatalf("Verify(%q) = %v, version %d after change %d; want %v, %d",
				secret, got.Reason, got.Version, entry.Change.Seq, want, version)
		}
	}
	organizations, keys, _ := h.Size()
	if o, k := h.size(); organizations != o || keys != k {
		h.t.Fatalf("Size = %d, %d after change %d; want %d, %d", organizations, keys, entry.Change.Seq, o, k)
	}
}

func TestTheEngineDoesWhatAModelDoes(t *testing.T) {
	for sentence, test := range map[string]struct {
		digests verify.Digester
		seeds   uint64
	}{
		"with digests far apart":              {digester{}, 10},
		"with digests that share their place": {colliding{}, 4}, // which makes every question a long search
	} {
		t.Run(sentence, func(t *testing.T) {
			for seed := range test.seeds {
				h := &history{
					world:   &world{Engine: verify.New(test.digests), t: t, log: &journal{}},
					model:   &model{make(map[string]*keyward.KeyRecord), make(map[string]keyward.Standing)},
					random:  rand.New(rand.NewPCG(seed, 0)),
					digests: test.digests,
				}
				var first []keyward.Record
				for i := range 4 {
					id := numbered("org", i)
					h.organizations[id] = keyward.Standing{Enabled: true}
					first = append(first, organization(id, true, false))
				}
				h.deliver(h.log.commit(first...))
				for range 300 {
					h.deliver(h.log.commit(slices.Clone(h.change())...))
				}
			}
		})
	}
}

func TestOperatorsThatShareTheirPlace(t *testing.T) {
	w := &world{Engine: verify.New(colliding{}), t: t, log: &journal{}}
	of := func(id, secret string) keyward.Record {
		return operator(id, "", func(o *keyward.OperatorRecord) { o.Digest = colliding{}.DigestString(secret) })
	}
	w.commit(of("o", "s"), of("p", "t"))
	w.commit(of("o", "r")) // leaves the place that it goes to
	for secret, want := range map[string]string{"r": "o", "t": "p", "s": ""} {
		if got, _ := w.Operator(secret, noon); got.ID != want {
			t.Errorf("Operator(%q) = %q, want %q", secret, got.ID, want)
		}
	}
}
