package keyring_test

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"sync"
	"testing"

	"keyward"
)

// slowDigest is the definition, written with the standard library.
func slowDigest(t *testing.T, secret string) keyward.Digest {
	t.Helper()
	pepper, err := hkdf.Key(sha256.New, master(0), nil, "keyward/pepper/v1", 32)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(secret))
	mac := hmac.New(sha256.New, pepper)
	mac.Write(sum[:])
	return keyward.Digest(mac.Sum(nil))
}

func TestDigestIsAnHMACOfTheHashForEveryLength(t *testing.T) {
	k := open(t, 0)
	for n := range 2*keyward.MaxSecretLength + 1 {
		secret := strings.Repeat("k\x00w", n)[:n]
		want := slowDigest(t, secret)
		if k.Digest([]byte(secret)) != want || k.DigestString(secret) != want {
			t.Fatalf("the digest of %d bytes is not HMAC-SHA-256(pepper, SHA-256(secret))", n)
		}
		if k.DigestOf(sha256.Sum256([]byte(secret))) != want {
			t.Fatalf("DigestOf the fingerprint of %d bytes differs from their Digest", n)
		}
	}
}

func TestDigestsDoNotAllocate(t *testing.T) {
	k := open(t, 0)
	for _, n := range []int{0, 31, 32, 33, 58, 64, 200, keyward.MaxSecretLength} {
		secret := strings.Repeat("x", n)
		raw := []byte(secret)
		var sink keyward.Digest
		for name, digest := range map[string]func(){
			"Digest":       func() { sink = k.Digest(raw) },
			"DigestString": func() { sink = k.DigestString(secret) },
		} {
			if allocs := testing.AllocsPerRun(100, digest); allocs != 0 {
				t.Errorf("%s of %d bytes allocates %v times, want 0", name, n, allocs)
			}
		}
		_ = sink
	}
}

func TestDigestsAreSafeForConcurrentUse(t *testing.T) {
	k := open(t, 0)
	var wait sync.WaitGroup
	for i := range 8 {
		secret := strings.Repeat("s", i+1)
		want := slowDigest(t, secret)
		wait.Go(func() {
			for range 500 {
				if k.DigestString(secret) != want {
					t.Errorf("the digest of %q changed", secret)
					return
				}
			}
		})
	}
	wait.Wait()
}

func BenchmarkDigestString(b *testing.B) {
	k := open(b, 0)
	secret := strings.Repeat("k", 58)
	b.ReportAllocs()
	for b.Loop() {
		k.DigestString(secret)
	}
}
