package keyward_test

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"keyward"
)

// known is a secret that nobody holds. Its last six characters were computed with
// another implementation of CRC-32 than the one under test.
const known = "kw_live_7Hq2mZ0aX4LpQ3kfB0n2m8rXcT5yLw9ZsD7vHj1PaE4u3s44kq"

func ExampleSecret() {
	secret := keyward.ForeignSecret(known)
	fmt.Println(secret)
	fmt.Printf("%+v\n", struct{ Password keyward.Secret }{secret})
	fmt.Println(secret.Generated(), secret.Hint())
	// Output:
	// [redacted]
	// {Password:[redacted]}
	// true kw_live_7Hq2mZ0aX4Lp…44kq
}

func TestASecretHasThePublishedForm(t *testing.T) {
	published := regexp.MustCompile(keyward.SecretPattern)
	for name, test := range map[string]struct {
		prefix      string
		environment keyward.Environment
	}{
		"by default":               {keyward.DefaultPrefix, keyward.Live},
		"for tests":                {keyward.DefaultPrefix, keyward.Test},
		"for a sandbox":            {keyward.DefaultPrefix, keyward.Sandbox},
		"of a publishable key":     {"kwpub", keyward.Live},
		"of an operator":           {keyward.OperatorSecretPrefix, keyward.Live},
		"with the shortest prefix": {"a", keyward.Live},
		"with the longest prefix":  {"abcdefghij12pub", keyward.Live},
	} {
		t.Run(name, func(t *testing.T) {
			secret := keyward.NewSecret(test.prefix, test.environment)
			text := secret.Reveal()
			start := test.prefix + "_" + string(test.environment) + "_"
			if !strings.HasPrefix(text, start) || len(text) != len(start)+12+32+6 {
				t.Errorf("secret of %d characters, want %q and 50 more", len(text), start)
			}
			for _, around := range []string{"%s", "token=%s;", "%s\n", `"%s"`, "see %s."} {
				line := fmt.Sprintf(around, text)
				if got := published.FindString(line); got != text {
					t.Errorf("the pattern does not find the secret in %q", around)
				}
			}
			if !secret.Generated() || secret.Empty() {
				t.Errorf("Generated = %t, Empty = %t; want true, false", secret.Generated(), secret.Empty())
			}
			if want := start + text[len(start):][:12] + "…" + text[len(text)-4:]; secret.Hint() != want {
				t.Errorf("Hint = %q, want %q", secret.Hint(), want)
			}
		})
	}
}

// base62Sum is the checksum by the book: long division of a big integer.
func base62Sum(text string) string {
	n := new(big.Int).SetUint64(uint64(crc32.Checksum([]byte(text), crc32.MakeTable(crc32.IEEE))))
	digits := n.Text(62) // 0-9a-zA-Z
	swap := func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}
	return strings.Repeat("0", 6-len(digits)) + strings.Map(swap, digits)
}

func TestTheSumIsCRC32InBase62(t *testing.T) {
	if !keyward.ForeignSecret(known).Generated() {
		t.Error("the known secret is not recognised")
	}
	for range 1000 {
		text := keyward.NewSecret("kw", keyward.Live).Reveal()
		body, sum := text[:len(text)-6], text[len(text)-6:]
		if want := base62Sum(body); sum != want {
			t.Fatalf("sum %s, want %s", sum, want)
		}
	}
}

func TestOneWrongCharacterIsNoticed(t *testing.T) {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-.é \x00"
	for i := range len(known) {
		for _, r := range alphabet {
			changed := known[:i] + string(r) + known[i+1:]
			if changed != known && keyward.ForeignSecret(changed).Generated() {
				t.Errorf("%q at %d goes unnoticed", r, i)
			}
		}
	}
	for i := range len(known) - 1 {
		changed := []byte(known)
		changed[i], changed[i+1] = changed[i+1], changed[i]
		if string(changed) != known && keyward.ForeignSecret(string(changed)).Generated() {
			t.Errorf("two characters swapped at %d go unnoticed", i)
		}
	}
}

func TestForeignTextIsOpaque(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":               "",
		"a word":                "password",
		"a line feed after it":  known + "\n",
		"a line feed before it": "\n" + known,
		"a space after it":      known + " ",
		"cut short":             known[:len(known)-1],
		"one more":              known + "0",
		"upper case":            strings.ToUpper(known),
		"another environment":   strings.Replace(known, "live", "prod", 1),
		"no prefix":             strings.TrimPrefix(known, "kw"),
		"too long a prefix":     keyward.NewSecret("abcdefghij123pub", keyward.Live).Reveal(),
		"a prefix in capitals":  keyward.NewSecret("KW", keyward.Live).Reveal(),
		"very long":             strings.Repeat(known, 1000),
		"not UTF-8":             known[:8] + "\xff" + known[9:],
	} {
		t.Run(name, func(t *testing.T) {
			secret := keyward.ForeignSecret(text)
			if secret.Generated() {
				t.Error("Generated = true, want false")
			}
			if secret.Hint() != "" {
				t.Errorf("Hint = %q, want none: all of the text may be secret", secret.Hint())
			}
			if secret.Reveal() != text || secret.Empty() != (text == "") {
				t.Errorf("Reveal = %q, Empty = %t", secret.Reveal(), secret.Empty())
			}
		})
	}
	var zero keyward.Secret
	if !zero.Empty() || zero.Reveal() != "" || zero.Generated() || zero.Hint() != "" {
		t.Error("the zero Secret is something")
	}
}

// 62 characters that are equally likely carry log2(62) bits each: 32 of them 190.
// The bound is what fair characters exceed once in a million runs or less.
func TestCharactersAreEquallyLikely(t *testing.T) {
	const secrets, free, bound = 8000, 61, 130.0
	counts := map[byte]int{}
	var n int
	for range secrets {
		text := keyward.NewSecret("kw", keyward.Live).Reveal()
		for _, c := range []byte(text[len("kw_live_") : len(text)-6]) {
			counts[c]++
			n++
		}
	}
	if len(counts) != free+1 || n != secrets*44 {
		t.Fatalf("%d characters of %d kinds, want %d of %d", n, len(counts), secrets*44, free+1)
	}
	expected := float64(n) / (free + 1)
	var chi float64
	for _, count := range counts {
		chi += (float64(count) - expected) * (float64(count) - expected) / expected
	}
	if chi > bound {
		t.Errorf("chi-square %.1f over %d degrees of freedom, want at most %.0f", chi, free, bound)
	}
}

func TestTheSecretPartHas190Bits(t *testing.T) {
	outcomes := new(big.Int).Exp(big.NewInt(62), big.NewInt(32), nil)
	if bits := outcomes.BitLen() - 1; bits != 190 {
		t.Errorf("32 characters hold %d bits, want 190", bits)
	}
}

func TestNoTwoSecretsShareAnId(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		text := keyward.NewSecret("kw", keyward.Live).Reveal()
		id := text[len("kw_live_"):][:12]
		if seen[id] {
			t.Fatalf("%s twice", id)
		}
		seen[id] = true
	}
}

// exposed holds the values to hide in all the places where one meets them.
type exposed struct {
	Secret  keyward.Secret             `json:"secret" xml:"secret"`
	Digest  keyward.Digest             `json:"digest" xml:"digest"`
	Pointer *keyward.Secret            `json:"pointer" xml:"pointer"`
	Sum     *keyward.Digest            `json:"sum" xml:"sum"`
	List    []keyward.Secret           `json:"list" xml:"list"`
	Any     any                        `json:"any" xml:"any"`
	Map     map[string]keyward.Secret  `json:"map" xml:"-"`
	Keys    map[keyward.Digest]string  `json:"keys" xml:"-"`
	Nested  struct{ S keyward.Secret } `json:"nested" xml:"nested"`
}

func expose() (exposed, keyward.Secret, keyward.Digest) {
	secret := keyward.ForeignSecret(known)
	var digest keyward.Digest
	for i := range digest {
		digest[i] = byte(201 + i)
	}
	e := exposed{
		Secret: secret, Digest: digest, Pointer: &secret, Sum: &digest,
		List: []keyward.Secret{secret}, Any: secret,
		Map:  map[string]keyward.Secret{"a": secret},
		Keys: map[keyward.Digest]string{digest: "a"},
	}
	e.Nested.S = secret
	return e, secret, digest
}

// leaks reports whether output shows the secret's text or the digest's bytes in any
// of the usual ways of writing them.
func leaks(output string) bool {
	_, _, digest := expose()
	raw := digest[:4]
	for _, text := range []string{
		known, known[20:30], hex.EncodeToString([]byte(known[20:30])),
		string(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)),
		"201 202", "201, 202", "201,202", "0xc9, 0xca", "0xc9 0xca", "c9 ca", "ycrL",
	} {
		if strings.Contains(output, text) {
			return true
		}
	}
	return false
}

func TestNoVerbPrintsASecret(t *testing.T) {
	e, secret, digest := expose()
	for name, value := range map[string]any{
		"a secret": secret, "its pointer": &secret, "a digest": digest, "its pointer too": &digest,
		"secrets in a list": []keyward.Secret{secret}, "digests in a list": []keyward.Digest{digest},
		"secrets in a map": e.Map, "digests as keys": e.Keys, "all in a struct": e, "a pointer to it": &e,
		"an interface":  []any{secret, digest},
		"a record":      keyward.KeyRecord{Credentials: []keyward.Credential{{Version: 1, Digest: digest}}},
		"an operator's": keyward.OperatorRecord{Digest: digest},
		"an error":      fmt.Errorf("with %v and %v", secret, digest),
	} {
		for _, verb := range []string{
			"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%t", "%c", "%U", "%b", "%o", "%e", "%10s", "%.3s", "%z",
		} {
			if got := fmt.Sprintf(verb, value); leaks(got) {
				t.Errorf("%s of %s prints %s", verb, name, got)
			}
		}
		if got := fmt.Sprint(value) + fmt.Sprintln(value); leaks(got) {
			t.Errorf("Print of %s prints %s", name, got)
		}
	}
	if got := secret.String() + secret.GoString() + digest.String() + digest.GoString(); leaks(got) {
		t.Errorf("the methods that print give %s", got)
	}
}

// fmt calls no methods of what it finds in unexported fields, nor when a verb is
// wrong in itself.
func TestASecretInAnUnexportedFieldDoesNotPrint(t *testing.T) {
	type hidden struct{ secret keyward.Secret }
	secret := keyward.ForeignSecret(known)
	for name, value := range map[string]any{
		"a field":         hidden{secret},
		"behind pointers": &struct{ hidden *hidden }{&hidden{secret}},
		"in a list":       struct{ list []keyward.Secret }{[]keyward.Secret{secret}},
		"in a map":        struct{ byName map[string]keyward.Secret }{map[string]keyward.Secret{"a": secret}},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb, value); leaks(got) {
				t.Errorf("%s of %s prints %s", verb, name, got)
			}
		}
	}
	for _, verb := range []string{"%p", "%w"} {
		format := verb // out of sight of vet, which would refuse it
		if got := fmt.Errorf(format, secret).Error(); leaks(got) {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestNoLogShowsASecret(t *testing.T) {
	e, secret, digest := expose()
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).With("bound", secret).Info("message",
			"secret", secret, "pointer", &secret, "digest", digest, "sum", &digest, "struct", e, "list", e.List,
			"map", e.Map, "keys", e.Keys, slog.Group("group", "secret", secret),
			"error", errors.New(secret.String()+digest.String()))
	}
	if leaks(log.String()) {
		t.Errorf("the log shows it: %s", &log)
	}
	if !strings.Contains(log.String(), "[redacted]") {
		t.Errorf("the log does not say that something is hidden: %s", &log)
	}
}

func TestNoEncodingHoldsASecret(t *testing.T) {
	e, secret, _ := expose()
	text, err := json.Marshal(e)
	if err != nil || leaks(string(text)) || !bytes.Contains(text, []byte(`"secret":"[redacted]"`)) {
		t.Errorf("JSON: %s, %v", text, err)
	}
	text, err = xml.Marshal(e)
	if err != nil || leaks(string(text)) || !bytes.Contains(text, []byte(`<secret>[redacted]</secret>`)) {
		t.Errorf("XML: %s, %v", text, err)
	}
	var data bytes.Buffer
	if err := gob.NewEncoder(&data).Encode(struct{ Secret keyward.Secret }{secret}); err == nil || leaks(data.String()) {
		t.Errorf("gob encodes a secret in %d bytes, %v; want a refusal", data.Len(), err)
	}
}
