package verify_test

import (
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyward"
	"keyward/internal/verify"
)

const noonHour = noon - noon%3_600_000

// counted adds up usage by all that it says but the count.
func counted(usage []keyward.Usage, into map[keyward.Usage]int64) map[keyward.Usage]int64 {
	for _, u := range usage {
		n := u.Count
		u.Count = 0
		into[u] += n
	}
	return into
}

func usageOf(id string, reason keyward.Reason, hour keyward.Time) keyward.Usage {
	return keyward.Usage{OrganizationID: "org", KeyID: id, Hour: hour, Reason: reason}
}

func (w *world) counted(want map[keyward.Usage]int64) {
	w.t.Helper()
	if got := counted(w.Usage(), map[keyward.Usage]int64{}); !maps.Equal(got, want) {
		w.t.Errorf("Usage = %v, want %v", got, want)
	}
}

func TestUsage(t *testing.T) {
	nothing := map[keyward.Usage]int64{}
	valid, denied := &keyward.Request{IP: inside}, &keyward.Request{IP: inside, Permissions: []string{"p"}}
	elsewhere := &keyward.Request{IP: outside}
	for sentence, story := range map[string]func(w *world, ask func(secret string, q *keyward.Request, now keyward.Time)){
		"answers are counted by key, reason and hour, whichever secret was used": func(w *world, ask func(string, *keyward.Request, keyward.Time)) {
			ask("s", valid, noon)
			ask("t", valid, noon+1)
			ask("s", denied, noon)
			ask("j", valid, noon)
			ask("s", valid, noon.Add(time.Hour))
			ask("s", valid, noon) // a clock that went back
			w.counted(map[keyward.Usage]int64{
				usageOf("k", keyward.Valid, noonHour):                3,
				usageOf("k", keyward.PermissionDenied, noonHour):     1,
				usageOf("j", keyward.Valid, noonHour):                1,
				usageOf("k", keyward.Valid, noonHour.Add(time.Hour)): 1,
			})
			w.counted(nothing)
		},
		"reasons in turn are all counted": func(w *world, ask func(string, *keyward.Request, keyward.Time)) {
			for range 10 {
				ask("s", valid, noon)
				ask("s", denied, noon)
				ask("s", elsewhere, noon)
			}
			w.counted(map[keyward.Usage]int64{
				usageOf("k", keyward.Valid, noonHour):            10,
				usageOf("k", keyward.PermissionDenied, noonHour): 10,
				usageOf("k", keyward.IPNotAllowed, noonHour):     10,
			})
		},
		"a dry run, and what is unknown, is not": func(w *world, ask func(string, *keyward.Request, keyward.Time)) {
			ask("s", &keyward.Request{IP: inside, DryRun: true}, noon)
			ask("nobody's", valid, noon)
			ask("s", &keyward.Request{IP: inside, OrganizationID: "other"}, noon)
			w.counted(nothing)
		},
		"counts survive a change of their key, also the end of the version": func(w *world, ask func(string, *keyward.Request, keyward.Time)) {
			ask("s", valid, noon)
			ask("t", valid, noon)
			changed := with(key("k", "s", "t"), func(k *keyward.KeyRecord) {
				k.Name, k.AllowedIPs, k.Credentials = "another", blocks, k.Credentials[1:]
			})
			w.commit(changed)
			ask("t", valid, noon)
			w.counted(map[keyward.Usage]int64{usageOf("k", keyward.Valid, noonHour): 3})
		},
		"and the end of the key": func(w *world, ask func(string, *keyward.Request, keyward.Time)) {
			ask("s", valid, noon)
			w.commit(with(key("k", "s", "t"), func(k *keyward.KeyRecord) { k.Deleted = true }))
			w.commit(record(key("k2", "s2")))
			ask("s2", valid, noon)
			w.counted(map[keyward.Usage]int64{
				usageOf("k", keyward.Valid, noonHour): 1, usageOf("k2", keyward.Valid, noonHour): 1,
			})
		},
		"and a fresh replica": func(w *world, ask func(string, *keyward.Request, keyward.Time)) {
			ask("s", valid, noon)
			w.load()
			ask("s", valid, noon)
			w.counted(map[keyward.Usage]int64{usageOf("k", keyward.Valid, noonHour): 2})
		},
		"restored ones are reported again, with what came after": func(w *world, ask func(string, *keyward.Request, keyward.Time)) {
			ask("s", valid, noon)
			ask("s", denied, noon)
			failed := w.Usage()
			ask("s", valid, noon)
			w.RestoreUsage(failed)
			w.counted(map[keyward.Usage]int64{
				usageOf("k", keyward.Valid, noonHour): 2, usageOf("k", keyward.PermissionDenied, noonHour): 1,
			})
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			w.commit(with(key("k", "s", "t"), func(k *keyward.KeyRecord) { k.AllowedIPs = blocks }))
			w.commit(record(key("j", "j")))
			story(w, func(secret string, q *keyward.Request, now keyward.Time) {
				w.Verify(anyone, secret, q, now, new(verify.Verdict))
			})
		})
	}
}

// Whatever happens to keys and replicas meanwhile, and however often counts are taken
// and put back, all that was answered is counted, once, and for the key it was about.
func TestEveryAnswerIsCountedOnce(t *testing.T) {
	w := newWorld(t)
	const keys, askers = 40, 3
	of := func(i, generation int) *keyward.KeyRecord {
		id := numbered(numbered("k", i), generation)
		k := key(id, "secret of "+id)
		k.AllowedIPs = blocks
		return k
	}
	var current [keys]atomic.Pointer[keyward.KeyRecord]
	for i := range current {
		current[i].Store(of(i, 0))
		w.commit(record(current[i].Load()))
	}
	questions := []*keyward.Request{{IP: inside}, {IP: outside}, {IP: inside, Permissions: []string{"p"}}, {IP: inside}}
	var answered [askers]map[keyward.Usage]int64
	done := make(chan struct{})
	var group sync.WaitGroup
	for n := range askers {
		answered[n] = map[keyward.Usage]int64{}
		group.Go(func() {
			var v verify.Verdict
			for turn := n; ; turn++ {
				select {
				case <-done:
					return
				default:
				}
				k := current[turn%keys].Load()
				now := noon + keyward.Time(turn%2)*3_600_000
				if w.Verify(anyone, "secret of "+k.KeyID, questions[turn/keys%len(questions)], now, &v).Reason == keyward.Unknown {
					continue // deleted meanwhile
				}
				if v.Subject.KeyID != k.KeyID {
					t.Errorf("the secret of %s is answered as that of %s", k.KeyID, v.Subject.KeyID)
				}
				answered[n][usageOf(v.Subject.KeyID, v.Reason, now-now%3_600_000)]++
			}
		})
	}
	got := map[keyward.Usage]int64{}
	for turn := range 200 {
		i := turn % keys
		old := current[i].Load()
		next := of(i, turn+1)
		current[i].Store(next)
		w.commit(with(old, func(k *keyward.KeyRecord) { k.Deleted = true }))
		w.commit(record(next))
		usage := w.Usage()
		if turn%3 == 0 {
			w.RestoreUsage(usage)
		} else {
			counted(usage, got)
		}
		switch {
		case turn%50 == 0:
			w.load()
		case turn%10 == 0:
			runtime.GC() // what was retired may be used again
		}
	}
	close(done)
	group.Wait()
	counted(w.Usage(), got)
	want := map[keyward.Usage]int64{}
	for _, some := range answered {
		for u, n := range some {
			want[u] += n
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("counted %d answers of %d kinds, want %d of %d", sum(got), len(got), sum(want), len(want))
	}
}

func sum(counts map[keyward.Usage]int64) (n int64) {
	for _, count := range counts {
		n += count
	}
	return n
}
