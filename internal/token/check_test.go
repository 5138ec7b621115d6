package token_test

import (
	"strings"
	"testing"
	"time"

	"keyward"
)

func TestNoBitOfATokenCanChange(t *testing.T) {
	f, s := newForger(t), newSigner(t, 1)
	for i := range len(f.good) * 8 {
		altered := []byte(f.good)
		altered[i/8] ^= 1 << (i % 8)
		if _, err := s.Check(string(altered), []string{"keyward"}, now); outcome(err) != refused {
			t.Errorf("with bit %d of byte %d inverted, Check = %v", i%8, i/8, err)
		}
	}
	for n := range f.good {
		if _, err := s.Check(f.good[:n], []string{"keyward"}, now); outcome(err) != refused {
			t.Errorf("cut to %d bytes, Check = %v", n, err)
		}
	}
}

func TestOtherFormsOfGoodTokensAreAccepted(t *testing.T) {
	f := newForger(t)
	for name, text := range map[string]string{
		"the plain form":                sign(1, f.header(), payload()),
		"typ in lower case":             sign(1, f.header("typ", `"jwt"`), payload()),
		"a list of one audience":        sign(1, f.header(), payload("aud", `["keyward"]`)),
		"valid from this very instant":  sign(1, f.header(), payload("nbf", "1800000000")),
		"issued a minute in the future": sign(1, f.header(), payload("iat", "1800000060")),
		"white space between members":   sign(1, f.header(), strings.ReplaceAll(payload(), ",", " ,\n ")),
		"the highest version":           sign(1, f.header(), payload("ver", "2147483647")),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := newSigner(t, 1).Check(text, []string{"keyward"}, now)
			if err != nil || c.Subject != "client" || c.Audience != "keyward" || c.Extra != nil {
				t.Errorf("Check = %+v, %v, want the claims", c, err)
			}
		})
	}
}

func TestHopelessTextIsRefusedBeforeAnyWork(t *testing.T) {
	s := newSigner(t, 1)
	for name, text := range map[string]string{
		"100,000 dots": strings.Repeat(".", 100_000),
		"16 MiB":       strings.Repeat("A", 8<<20) + "." + strings.Repeat("A", 8<<20) + ".",
	} {
		var err error
		allocs := testing.AllocsPerRun(10, func() { _, err = s.Check(text, []string{"keyward"}, now) })
		if outcome(err) != refused || allocs != 0 {
			t.Errorf("%s: Check = %v after %v allocations, want a refusal and none", name, err, allocs)
		}
	}
}

func FuzzCheck(f *testing.F) {
	forger, s := newForger(f), newSigner(f, 1)
	f.Add(forger.good, int64(now))
	// Not the claims: some of those are good at other times.
	for _, vectors := range []map[string]string{forger.headers(), forger.texts(), forger.signatures()} {
		for _, text := range vectors {
			if len(text) <= 8<<10 {
				f.Add(text, int64(now))
			}
		}
	}
	expire := now.Add(15 * time.Minute)
	f.Fuzz(func(t *testing.T, text string, at int64) {
		_, err := s.Check(text, []string{"keyward"}, keyward.Time(at))
		if err != nil && keyward.CodeOf(err) != keyward.Unauthenticated {
			t.Errorf("Check = %v, want Unauthenticated", err)
		}
		if err == nil && (text != forger.good || keyward.Time(at) >= expire) {
			t.Errorf("Check accepts %q at %d", text, at)
		}
	})
}
