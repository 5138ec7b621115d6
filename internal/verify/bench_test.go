package verify_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"

	"keyward"
	"keyward/internal/verify"
)

// crowd is a log that has nothing but a snapshot of many keys.
type crowd int

func (n crowd) Snapshot(_ context.Context, load func(keyward.Record) error) (int64, error) {
	if err := load(organization("org", true, false)); err != nil {
		return 0, err
	}
	for i := range int(n) {
		k := key(numbered("key_01k0000000000000000000", i), numbered(benchSecret, i))
		k.AllowedIPs = blocks
		k.ACL = benchACL
		if err := load(record(k)); err != nil {
			return 0, err
		}
	}
	return 1, nil
}

func (crowd) Entries(context.Context, int64, int) ([]keyward.LogEntry, error) { return nil, nil }

const benchSecret = "kw_live_7Hq2mZ0aX4Lp0123456789abcdefghijklmnopq"

var benchACL = []keyward.Grant{{Scope: keyward.Scope{"region": {"us", "eu"}}, Permissions: []string{"reports.*", "docs.read"}}}

// BenchmarkVerify asks for one key after another in random order.
func BenchmarkVerify(b *testing.B) {
	for _, size := range []struct {
		name string
		keys int
	}{{"1", 1}, {"100k", 100_000}, {"1M", 1_000_000}} {
		e, bytesPerKey := crowded(b, size.keys)
		secrets := make([]string, 1<<16)
		for i := range secrets {
			secrets[i] = numbered(benchSecret, rand.IntN(size.keys))
		}
		for _, question := range []struct {
			name string
			q    keyward.Request
		}{
			{"plain", keyward.Request{IP: inside}},
			{"full", keyward.Request{IP: inside, Permissions: []string{"docs.read"}, Scope: map[string]string{"region": "eu"}}},
		} {
			ask := func(b *testing.B, i int) {
				if e.Verify(anyone, secrets[i%len(secrets)], &question.q, noon, new(verify.Verdict)).Reason != keyward.Valid {
					b.Fatal("not valid")
				}
			}
			b.Run("keys="+size.name+"/"+question.name, func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					ask(b, i)
				}
				b.ReportMetric(bytesPerKey, "B/key")
			})
			b.Run("keys="+size.name+"/"+question.name+"/parallel", func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					for i := rand.IntN(len(secrets)); pb.Next(); i++ {
						ask(b, i)
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
		if err := e.Commit(b.Context(), crowd(0), entry); err != nil {
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
	e := verify.New(digester{})
	if err := e.Load(b.Context(), crowd(keys)); err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	return e, (float64(after.HeapAlloc) - float64(before.HeapAlloc)) / float64(keys)
}
