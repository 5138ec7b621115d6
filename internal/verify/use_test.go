package verify_test

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"keyward"
	"keyward/internal/verify"
)

func sorted(uses []keyward.Use) []keyward.Use {
	slices.SortFunc(uses, func(a, b keyward.Use) int {
		return cmp.Or(cmp.Compare(a.KeyID, b.KeyID), cmp.Compare(a.Version, b.Version), cmp.Compare(a.OperatorID, b.OperatorID))
	})
	return uses
}

func (w *world) used(want ...keyward.Use) {
	w.t.Helper()
	if got := sorted(w.Uses()); !slices.Equal(got, sorted(want)) {
		w.t.Errorf("Uses = %v, want %v", got, want)
	}
}

func useOf(id string, version int, now keyward.Time) keyward.Use {
	return keyward.Use{OrganizationID: "org", KeyID: id, Version: version, Time: now}
}

// useFrom is useOf with a block of addresses.
func useFrom(id string, version int, now keyward.Time, block string) keyward.Use {
	u := useOf(id, version, now)
	u.IP = netip.MustParsePrefix(block)
	return u
}

func TestUses(t *testing.T) {
	q := &keyward.Request{}
	rotated := record(key("k", "s", "t", "u"))
	for sentence, story := range map[string]func(w *world){
		"each secret is reported once, with its latest time": func(w *world) {
			w.Verify(anyone, "s", q, noon, new(verify.Verdict))
			w.Verify(anyone, "t", q, noon+1, new(verify.Verdict))
			w.Verify(anyone, "s", q, noon+2, new(verify.Verdict))
			w.used(useOf("k", 1, noon+2), useOf("k", 2, noon+1))
			w.used()
		},
		"what was used again is reported again": func(w *world) {
			w.Verify(anyone, "s", q, noon, new(verify.Verdict))
			w.used(useOf("k", 1, noon))
			w.Verify(anyone, "s", q, noon+1, new(verify.Verdict))
			w.used(useOf("k", 1, noon+1))
		},
		"a time never goes back": func(w *world) {
			w.Verify(anyone, "s", q, noon, new(verify.Verdict))
			w.Verify(anyone, "s", q, noon-1, new(verify.Verdict))
			w.used(useOf("k", 1, noon))
			w.Verify(anyone, "s", q, noon-1, new(verify.Verdict))
			w.used()
		},
		"a dry run is no use": func(w *world) {
			w.Verify(anyone, "s", &keyward.Request{DryRun: true}, noon, new(verify.Verdict))
			w.used()
		},
		"neither is an answer that is not valid": func(w *world) {
			w.Verify(anyone, "s", &keyward.Request{Permissions: []string{"p"}}, noon, new(verify.Verdict))
			w.used()
		},
		"nor an explanation": func(w *world) {
			w.Verify(anyone, "s", &keyward.Request{DryRun: true, Explain: true}, noon, new(verify.Verdict))
			w.used()
		},
		"tokens use the version that they stand for": func(w *world) {
			w.VerifyClient(anyone, "client-k", 2, q, noon, new(verify.Verdict))
			w.used(useOf("k", 2, noon))
		},
		"acting is a use": func(w *world) {
			w.Key("s", inside, noon)
			w.Client("client-k", 2, inside, noon+1)
			w.Operator("op", noon+2)
			w.used(useFrom("k", 1, noon, "203.0.113.0/24"), useFrom("k", 2, noon+1, "203.0.113.0/24"), keyward.Use{OperatorID: "o", Time: noon + 2})
		},
		"the address is that of the latest use, and coarse": func(w *world) {
			from := func(ip string, now keyward.Time) {
				w.Verify(anyone, "s", &keyward.Request{IP: netip.MustParseAddr(ip)}, now, new(verify.Verdict))
			}
			from("203.0.113.9", noon)
			from("2001:db8:1:2::3", noon+1)
			w.used(useFrom("k", 1, noon+1, "2001:db8:1::/48"))
			from("::ffff:198.51.100.7", noon+2)
			w.Restore(w.Uses())
			w.used(useFrom("k", 1, noon+2, "198.51.100.0/24"))
			from("0.0.0.0", noon+3)
			w.used(useFrom("k", 1, noon+3, "0.0.0.0/24"))
			w.Verify(anyone, "s", q, noon+4, new(verify.Verdict))
			w.used(useOf("k", 1, noon+4))
		},
		"uses survive a change of their key": func(w *world) {
			w.Verify(anyone, "s", q, noon, new(verify.Verdict))
			w.commit(rotated)
			w.Verify(anyone, "s", q, noon+1, new(verify.Verdict))
			w.used(useOf("k", 1, noon+1))
		},
		"and a fresh replica": func(w *world) {
			w.Verify(anyone, "s", q, noon, new(verify.Verdict))
			w.load()
			w.used(useOf("k", 1, noon))
		},
		"restored ones are reported again": func(w *world) {
			w.Verify(anyone, "s", q, noon, new(verify.Verdict))
			w.Operator("op", noon)
			w.Restore(w.Uses())
			w.used(useOf("k", 1, noon), keyward.Use{OperatorID: "o", Time: noon})
		},
		"restoring takes no later use back": func(w *world) {
			w.Verify(anyone, "s", q, noon, new(verify.Verdict))
			failed := w.Uses()
			w.Verify(anyone, "s", q, noon+1, new(verify.Verdict))
			w.Restore(failed)
			w.used(useOf("k", 1, noon+1))
		},
		"also into a fresh replica": func(w *world) {
			w.Verify(anyone, "s", q, noon, new(verify.Verdict))
			failed := w.Uses()
			w.load()
			w.Restore(failed)
			w.used(useOf("k", 1, noon))
		},
		"what is gone is not restored": func(w *world) {
			w.Restore([]keyward.Use{useOf("k", 3, noon), useOf("j", 1, noon), {OperatorID: "p", Time: noon}})
			w.used()
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			w.commit(record(key("k", "s", "t")))
			w.commit(operator("o", "op", nil))
			story(w)
		})
	}
}

func TestNoUseIsLostBetweenTakers(t *testing.T) {
	w := newWorld(t)
	w.commit(record(key("k", "s", "t")))
	const last = noon + 20_000
	var latest [3]keyward.Time // of each version
	note := func(uses []keyward.Use) {
		for _, u := range uses {
			latest[u.Version] = max(latest[u.Version], u.Time)
		}
	}
	var users sync.WaitGroup
	for _, secret := range []string{"s", "t", "s"} {
		users.Go(func() {
			for now := noon; now <= last; now++ {
				w.Verify(anyone, secret, &keyward.Request{}, now, new(verify.Verdict))
			}
		})
	}
	done := make(chan struct{})
	go func() { users.Wait(); close(done) }()
	for taking := true; taking; {
		select {
		case <-done:
			taking = false
		default:
			note(w.Uses())
		}
	}
	note(w.Uses())
	if latest[1] != last || latest[2] != last {
		t.Errorf("the latest uses reported are %v, want %v for both", latest[1:], last)
	}
}
