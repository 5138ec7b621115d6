package verify_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"keyward"
	"keyward/internal/keyring"
	"keyward/internal/verify"
)

// crowd is a log that has nothing but a snapshot of many keys, as they usually are.
type crowd struct {
	size int
	ring *keyring.Keyring
}

func (c crowd) Snapshot(_ context.Context, load func(keyward.Record) error) (int64, error) {
	if err := load(organization("org", true, false)); err != nil {
		return 0, err
	}
	for i := range c.size {
		k := key(fmt.Sprintf("key_%026d", i))
		k.ClientID, k.Name, k.OwnerID = fmt.Sprintf("%032d", i), numbered("key", i), numbered("user", i)
		k.Metadata = fmt.Appendf(nil, `{"plan":"pro","seat":%d}`, i)
		k.Credentials = []keyward.Credential{{Version: 1, Digest: c.ring.DigestString(secretOf(i))}}
		k.AllowedIPs = blocks
		k.ACL = benchACL
		if err := load(record(k)); err != nil {
			return 0, err
		}
	}
	return 1, nil
}

func (crowd) Entries(context.Context, int64, int) ([]keyward.LogEntry, error) { return nil, nil }

// secretOf returns a text as long as a generated secret.
func secretOf(i int) string { return fmt.Sprintf("kw_live_7Hq2mZ0aX4Lp%038d", i) }

var benchACL = []keyward.Grant{{Scope: keyward.Scope{"region": {"us", "eu"}}, Permissions: []string{"reports.*", "docs.read"}}}

// BenchmarkVerify asks for one key after another in random order.
func BenchmarkVerify(b *testing.B) {
	for _, size := range []struct {
		name string
		keys int
	}{{"1", 1}, {"100k", 100_000}, {"1M", 1_000_000}} {
		e, bytesPerKey := crowded(b, size.keys)
		secrets := make([]string, 1<<18)
		for i := range secrets {
			secrets[i] = secretOf(rand.IntN(size.keys))
		}
		for _, question := range []struct {
			name string
			q    keyward.Request
		}{
			{"plain", keyward.Request{IP: inside}},
			{"full", keyward.Request{IP: inside, Permissions: []string{"docs.read"}, Scope: map[string]string{"region": "eu"}}},
		} {
			ask := func(b *testing.B, i int, v *verify.Verdict) {
				if e.Verify(anyone, secrets[i%len(secrets)], &question.q, noon+keyward.Time(i), v).Reason != keyward.Valid {
					b.Fatal("not valid")
				}
			}
			b.Run("keys="+size.name+"/"+question.name, func(b *testing.B) {
				b.ReportAllocs()
				var v verify.Verdict
				for i := 0; b.Loop(); i++ {
					ask(b, i, &v)
				}
				b.ReportMetric(bytesPerKey, "B/key")
			})
			b.Run("keys="+size.name+"/"+question.name+"/parallel", func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					var v verify.Verdict
					for i := rand.IntN(len(secrets)); pb.Next(); i++ {
						ask(b, i, &v)
					}
				})
			})
		}
	}
}

// BenchmarkCommit applies changes to a replica that readers may be in.
func BenchmarkCommit(b *testing.B) {
	e, _ := crowded(b, 1_000_000)
	k := key("k", "s")
	for seq := int64(2); b.Loop(); seq++ {
		k.Credentials[0].Digest = digester{}.DigestString(numbered("s", int(seq)))
		entry := keyward.LogEntry{Change: keyward.Change{Seq: seq}, Records: []keyward.Record{record(k)}}
		if err := e.Commit(b.Context(), crowd{}, entry); err != nil {
			b.Fatal(err)
		}
	}
}

// crowded returns an engine with a number of keys, and what each takes of the heap.
func crowded(b *testing.B, keys int) (*verify.Engine, float64) {
	b.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ring, err := keyring.Parse(keyring.Generate())
	if err != nil {
		b.Fatal(err)
	}
	e := verify.New(ring)
	if err := e.Load(b.Context(), crowd{keys, ring}); err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	return e, (float64(after.HeapAlloc) - float64(before.HeapAlloc)) / float64(keys)
}
