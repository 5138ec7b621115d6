package verify_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"keyward"
	"keyward/internal/verify"

	"pgregory.net/rapid"
)

// What a record says of a key, and of each of its secrets, is what answers say, to the
// last byte: whatever is long, empty or missing in it.
func TestAnswersSayAllThatARecordSays(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 60, 300)
		date := rapid.SampledFrom([]keyward.Time{0, 1, noon - 1, noon, noon + 1, 253402300799999})
		k := key(text.Draw(t, "id"))
		k.ClientID, k.Name, k.OwnerID = text.Draw(t, "client"), text.Draw(t, "name"), text.Draw(t, "owner")
		k.Type = rapid.SampledFrom([]keyward.KeyType{"", keyward.SecretKey, keyward.Publishable}).Draw(t, "type")
		k.Environment = rapid.SampledFrom([]keyward.Environment{"", keyward.Live, keyward.Test, keyward.Sandbox}).Draw(t, "environment")
		k.Enabled = rapid.Bool().Draw(t, "enabled")
		k.StartTime, k.ExpireTime, k.RevokedTime = date.Draw(t, "start"), date.Draw(t, "expire"), date.Draw(t, "revoked")
		k.Metadata = []byte(strings.Repeat("m", rapid.SampledFrom([]int{0, 1, 2, 1000, 200_000, 2_000_000}).Draw(t, "metadata")))
		k.ProjectIDs = rapid.SampledFrom([][]string{nil, {}, {"p"}, {"p", "q"}}).Draw(t, "projects")
		k.AllowedIPs = rapid.SampledFrom([][]netip.Prefix{nil, {}, blocks}).Draw(t, "blocks")
		numbers := rapid.SliceOfNDistinct(rapid.IntRange(1, 1<<31-1), 0, 12, rapid.ID[int]).Draw(t, "versions")
		for _, n := range numbers {
			k.Credentials = append(k.Credentials, keyward.Credential{
				Version: n, Digest: digester{}.DigestString(numbered("s", n)), ExpireTime: date.Draw(t, "end"),
			})
		}
		w := newWorld(outer)
		w.commit(record(key("another", "another"))) // so that it is not the first
		w.commit(record(k))
		for _, c := range k.Credentials {
			want := verify.Verdict{Reason: decided(k, c), Version: c.Version}
			q := &keyward.Request{IP: inside}
			for how, got := range map[string]*verify.Verdict{
				"secret": w.Verify(anyone, numbered("s", c.Version), q, noon, new(verify.Verdict)),
				"token":  w.VerifyClient(anyone, k.ClientID, c.Version, q, noon, new(verify.Verdict)),
			} {
				if got.Reason != want.Reason || got.Version != want.Version || !sameSubject(got.Subject, k.Subject) {
					t.Fatalf("by its %s the answer is %v, version %d, %+v; want %v, %d, %+v",
						how, got.Reason, got.Version, got.Subject, want.Reason, want.Version, k.Subject)
				}
			}
		}
	})
}

func decided(k *keyward.KeyRecord, c keyward.Credential) keyward.Reason {
	return keyward.Decide(anyone, &k.Subject, keyward.Standing{Enabled: true}, c.ExpireTime, &keyward.Request{IP: inside}, keyward.Unlimited, noon)
}

// sameSubject compares to the last byte; metadata that is empty may be missing.
func sameSubject(a, b keyward.Subject) bool {
	if string(a.Metadata) != string(b.Metadata) {
		return false
	}
	a.Metadata, b.Metadata = nil, nil
	return reflect.DeepEqual(a, b)
}

// past is what one place in a crowd of keys goes through: a key is made, changed, rotated,
// revoked and deleted, and then comes another. Every change changes all that a record says.
type past struct {
	records []*keyward.KeyRecord
	secrets []string // of all keys that there were
}

func newPast(random *rand.Rand, place, turns int) past {
	var p past
	var k *keyward.KeyRecord
	for turn := range turns {
		if k == nil || k.Deleted {
			k = key(fmt.Sprintf("k-%d-%d", place, turn))
		}
		next := *k
		next.Credentials = append([]keyward.Credential(nil), k.Credentials...)
		p.change(&next, random, place, turn)
		mark := fmt.Sprintf("%d-%d", place, turn)
		next.Name, next.OwnerID = "name "+mark, "owner "+mark
		next.Metadata = []byte(mark + strings.Repeat("m", random.IntN(1000)))
		if random.IntN(50) == 0 {
			next.Metadata = append(next.Metadata, make([]byte, 150_000)...)
		}
		next.ProjectIDs, next.StartTime = []string{"project " + mark}, keyward.Time(turn+1)
		next.ACL = []keyward.Grant{{Permissions: []string{fmt.Sprint("p", turn%3)}}}
		k = &next
		p.records = append(p.records, k)
	}
	return p
}

func (p *past) change(k *keyward.KeyRecord, random *rand.Rand, place, turn int) {
	n := len(k.Credentials)
	switch dice := random.IntN(10); {
	case n == 0 || dice < 2:
		secret := fmt.Sprintf("s-%d-%d", place, turn)
		p.secrets = append(p.secrets, secret)
		k.Credentials = append(k.Credentials, keyward.Credential{Version: turn + 1, Digest: digester{}.DigestString(secret)})
	case dice == 2 && n > 1:
		k.Credentials = k.Credentials[1:]
	case dice == 3:
		k.Credentials[0].ExpireTime = noon
	case dice == 4:
		k.ClientID = fmt.Sprintf("client-%d-%d", place, turn)
	case dice == 5 && turn%2 == 0:
		k.RevokedTime = noon
	case dice == 6:
		k.Deleted = true
	}
}

// allows reports whether an answer about a secret is that of the record with a number.
func (p *past) allows(turn int64, secret string, got *verify.Verdict) bool {
	k := p.records[turn]
	for _, c := range k.Credentials {
		if c.Digest == (digester{}).DigestString(secret) && !k.Deleted {
			return got.Reason == decided(k, c) && got.Version == c.Version && sameSubject(got.Subject, k.Subject)
		}
	}
	return got.Reason == keyward.Unknown && got.Subject.KeyID == ""
}

// While one goroutine changes keys so much that what they are written in is emptied and
// used up many times over, each answer is that of one state between the last change that
// had returned when it was asked for and the last that had begun when it was there.
func TestAnswersAmongChangesAreOfOneState(t *testing.T) {
	const places, turns, readers = 30, 60, 3
	random := rand.New(rand.NewPCG(1, 2))
	w := newWorld(t)
	pasts := make([]past, places)
	var begun, returned [places]atomic.Int64 // the number of a record
	for i := range pasts {
		pasts[i] = newPast(random, i, turns)
		w.commit(record(pasts[i].records[0]))
	}
	var done atomic.Bool
	var group sync.WaitGroup
	for n := range readers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(3, uint64(n)))
			var v verify.Verdict
			for !done.Load() {
				i := random.IntN(places)
				p := &pasts[i]
				secret := p.secrets[random.IntN(len(p.secrets))]
				from := returned[i].Load()
				w.Verify(anyone, secret, &keyward.Request{IP: inside}, noon, &v)
				to, allowed := begun[i].Load(), false
				for turn := from; turn <= to && !allowed; turn++ {
					allowed = p.allows(turn, secret, &v)
				}
				if !allowed {
					t.Errorf("between the states %d and %d of place %d the answer to %s is %v, version %d of %s",
						from, to, i, secret, v.Reason, v.Version, v.Subject.Name)
					return
				}
			}
		})
	}
	for turn := int64(1); turn < turns; turn++ {
		for _, i := range random.Perm(places) {
			begun[i].Store(turn)
			w.commit(record(pasts[i].records[turn]))
			returned[i].Store(turn)
		}
		if turn%3 == 0 {
			runtime.GC() // what was retired may be used again
		}
		if turn%20 == 0 {
			w.load()
		}
	}
	done.Store(true)
	group.Wait()
	w.sized(pasts)
}

// sized checks that the engine counts the keys that are left.
func (w *world) sized(pasts []past) {
	left := 0
	for _, p := range pasts {
		if !p.records[len(p.records)-1].Deleted {
			left++
		}
	}
	if _, keys, _ := w.Size(); keys != left {
		w.t.Errorf("%d keys are counted, %d are left", keys, left)
	}
}

// However often keys are changed, they take no more memory than those that are there.
func TestChangesLeaveNoMemoryBehind(t *testing.T) {
	w := newWorld(t)
	change := func(rounds int) {
		for round := range rounds {
			for i := range 50 {
				w.log.entries = nil
				w.commit(with(key(numbered("k", i), numbered("s", i)), func(k *keyward.KeyRecord) {
					k.Metadata = []byte(strings.Repeat("m", 2000+round%10))
					k.ProjectIDs = []string{numbered("p", round)}
				}))
			}
			id := numbered("passing", round)
			w.commit(record(key(id, id)))
			w.commit(with(key(id, id), func(k *keyward.KeyRecord) { k.Deleted = true }))
			delete(w.log.states, "2 org "+id)
			if round%20 == 0 {
				runtime.GC()
			}
		}
	}
	change(100)
	before := heap()
	change(400)
	if after := heap(); after > before+4<<20 {
		t.Errorf("after 20 000 changes more the heap has %d KB, and %d before", after>>10, before>>10)
	}
	runtime.KeepAlive(w)
}

// heap returns how many bytes are live. What was retired is free only after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
