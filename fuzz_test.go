package keyward_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"keyward"
)

// FuzzParseTime reads any text as an instant: what is accepted is what the standard
// library reads too, and is written such that it is read back as the same instant.
func FuzzParseTime(f *testing.F) {
	for _, text := range []string{
		"2026-01-31T09:30:00Z", "2026-01-31T09:30:00.123456789+02:00", "1970-01-01T00:00:00.001Z",
		"9999-12-31T23:59:59.999Z", "2024-02-29T00:00:00-23:59", "2026-02-30T00:00:00Z", "2026-01-31 09:30:00Z",
		"2026-01-31T09:30:60Z", "2026-01-31", "", "null", "2026-01-31T9:30:00Z", "2026-01-31T09:30:00,5Z",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := keyward.ParseTime(text)
		if err != nil {
			if keyward.CodeOf(err) != keyward.Invalid || got != 0 {
				t.Fatalf("ParseTime(%q) = %d, %v", text, got, err)
			}
			return
		}
		standard, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || keyward.TimeOf(standard) != got || got <= 0 {
			t.Fatalf("ParseTime(%q) = %s, the standard library says %s, %v", text, got, standard, err)
		}
		if again, err := keyward.ParseTime(got.String()); err != nil || again != got {
			t.Fatalf("ParseTime(%q) = %s, which is read as %s, %v", text, got, again, err)
		}
		var decoded keyward.Time
		if encoded, err := json.Marshal(got); err != nil || json.Unmarshal(encoded, &decoded) != nil || decoded != got {
			t.Fatalf("%s in JSON is %s, which is read as %s", got, encoded, decoded)
		}
	})
}

// FuzzParseDuration reads any text as a span of time.
func FuzzParseDuration(f *testing.F) {
	for _, text := range []string{"30s", "24h", "7d", "1h30m", "-1s", "0.5ms", "36500d", "36501d", "1e9h", "", "d", "7d7d", "٣d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := keyward.ParseDuration(text)
		if err != nil {
			return
		}
		if again, err := keyward.ParseDuration(got.String()); err != nil || again != got || got < 0 {
			t.Fatalf("ParseDuration(%q) = %s, which is read as %s, %v", text, got, again, err)
		}
	})
}

// FuzzValidKeyID asks of any text whether a client may choose it as an id, and holds
// the answer against the rule as it is written down.
func FuzzValidKeyID(f *testing.F) {
	for _, text := range []string{"my-key", "@~-.w_9", ".", "..", "...", "key_1", "KEY_1", "", "a/b", "é", "a\n", strings.Repeat("x", 51)} {
		f.Add(text)
	}
	const allowed = "@~-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	f.Fuzz(func(t *testing.T, text string) {
		want := text != "" && len(text) <= 50 && text != "." && text != ".." && !strings.HasPrefix(text, "key_")
		for _, c := range text {
			want = want && strings.ContainsRune(allowed, c)
		}
		if got := keyward.ValidKeyID(text); got != want {
			t.Fatalf("ValidKeyID(%q) = %t", text, got)
		}
	})
}

// FuzzParseAllowedIP reads any text as an address or a block: what is kept of it is
// read back as the same block, which holds the address that was written.
func FuzzParseAllowedIP(f *testing.F) {
	for _, text := range []string{"203.0.113.9", "203.0.113.9/24", "2001:db8::1/32", "::ffff:203.0.113.9", "::ffff:0:0/95", "::/0", "1.2.3.4/33", "fe80::1%eth0", "01.2.3.4", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		block, kept, err := keyward.ParseAllowedIP(text)
		if err != nil {
			return
		}
		again, same, err := keyward.ParseAllowedIP(kept)
		if err != nil || again != block || same != kept {
			t.Fatalf("ParseAllowedIP(%q) = %s, %q, which is read as %s, %q, %v", text, block, kept, again, same, err)
		}
		bare, _, _ := strings.Cut(text, "/")
		if address, err := netip.ParseAddr(bare); err != nil || !block.Contains(address.Unmap()) {
			t.Fatalf("the block %s of %q does not hold the address (%v)", block, text, err)
		}
	})
}
