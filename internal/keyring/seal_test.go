package keyring_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/keyring"
)

const plaintext = "kw_live_the secret itself"

func seal(t *testing.T, k *keyring.Keyring, associated ...string) keyring.Sealed {
	t.Helper()
	sealed, err := k.Seal([]byte(plaintext), associated...)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealedOpensOnlyInItsPlace(t *testing.T) {
	k := open(t, 0)
	sealed := seal(t, k, "org_1", "key_1", "1")
	for name, test := range map[string]struct {
		keyring    *keyring.Keyring
		associated []string
		ok         bool
	}{
		"the same place":                {k, []string{"org_1", "key_1", "1"}, true},
		"another process, same master":  {open(t, 0), []string{"org_1", "key_1", "1"}, true},
		"another master key":            {open(t, 1), []string{"org_1", "key_1", "1"}, false},
		"another organization":          {k, []string{"org_2", "key_1", "1"}, false},
		"another key":                   {k, []string{"org_1", "key_2", "1"}, false},
		"another version":               {k, []string{"org_1", "key_1", "2"}, false},
		"another order":                 {k, []string{"key_1", "org_1", "1"}, false},
		"no place":                      {k, nil, false},
		"one string fewer":              {k, []string{"org_1", "key_1"}, false},
		"one string more":               {k, []string{"org_1", "key_1", "1", ""}, false},
		"the same letters, cut apart":   {k, []string{"org_1k", "ey_1", "1"}, false},
		"the same letters, in one text": {k, []string{"org_1key_11"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.keyring.Open(sealed, test.associated...)
			if test.ok && (err != nil || string(got) != plaintext) {
				t.Errorf("Open = %v, want the plaintext", err)
			}
			if !test.ok && (!errors.Is(err, keyring.ErrSealed) || got != nil) {
				t.Errorf("Open = %q, %v, want ErrSealed", got, err)
			}
		})
	}
}

func TestSealedDoesNotOpenWhenAnyByteIsAltered(t *testing.T) {
	k := open(t, 0)
	sealed := seal(t, k, "place")
	refused := func(name string, altered keyring.Sealed) {
		t.Helper()
		if got, err := k.Open(altered, "place"); !errors.Is(err, keyring.ErrSealed) || got != nil {
			t.Errorf("%s: Open = %q, %v, want ErrSealed", name, got, err)
		}
	}
	eachFlip(sealed.Wrapped, func(b []byte) {
		refused("wrapped", keyring.Sealed{KeyID: sealed.KeyID, Wrapped: b, Ciphertext: sealed.Ciphertext})
	})
	eachFlip(sealed.Ciphertext, func(b []byte) {
		refused("ciphertext", keyring.Sealed{KeyID: sealed.KeyID, Wrapped: sealed.Wrapped, Ciphertext: b})
	})
	eachFlip([]byte(sealed.KeyID), func(b []byte) {
		refused("key id", keyring.Sealed{KeyID: string(b), Wrapped: sealed.Wrapped, Ciphertext: sealed.Ciphertext})
	})
	for n := range sealed.Ciphertext {
		refused("cut", keyring.Sealed{KeyID: sealed.KeyID, Wrapped: sealed.Wrapped, Ciphertext: sealed.Ciphertext[:n]})
	}
	other := seal(t, k, "place")
	refused("another record's data key", keyring.Sealed{KeyID: sealed.KeyID, Wrapped: other.Wrapped, Ciphertext: sealed.Ciphertext})
	refused("the two swapped", keyring.Sealed{KeyID: sealed.KeyID, Wrapped: sealed.Ciphertext, Ciphertext: sealed.Wrapped})
	refused("nothing", keyring.Sealed{})
}

// eachFlip calls fn with a copy of b for each of its bits, that bit inverted.
func eachFlip(b []byte, fn func([]byte)) {
	for i := range len(b) * 8 {
		altered := slices.Clone(b)
		altered[i/8] ^= 1 << (i % 8)
		fn(altered)
	}
}

func TestSealingTwiceGivesDifferentBytes(t *testing.T) {
	k := open(t, 0)
	one, two := seal(t, k), seal(t, k)
	if bytes.Equal(one.Wrapped, two.Wrapped) || bytes.Equal(one.Ciphertext, two.Ciphertext) {
		t.Error("the same plaintext was sealed into the same bytes")
	}
	if bytes.Equal(k.SealWith("h", []byte("x")), k.SealWith("h", []byte("x"))) {
		t.Error("the same answer was sealed into the same bytes")
	}
	if k.SealCursor([]byte("x"), "list") == k.SealCursor([]byte("x"), "list") {
		t.Error("the same place was sealed into the same cursor")
	}
}

func TestEmptyPlaintextsSealAndOpen(t *testing.T) {
	k := open(t, 0)
	sealed, err := k.Seal(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Open(sealed); err != nil || len(got) != 0 {
		t.Errorf("Open = %q, %v, want nothing", got, err)
	}
	if got, err := k.OpenWith("", k.SealWith("", nil)); err != nil || len(got) != 0 {
		t.Errorf("OpenWith = %q, %v, want nothing", got, err)
	}
	if got, err := k.OpenCursor(k.SealCursor(nil, ""), ""); err != nil || len(got) != 0 {
		t.Errorf("OpenCursor = %q, %v, want nothing", got, err)
	}
}

func TestReplayedAnswersOpenOnlyWithTheHeadersValue(t *testing.T) {
	k := open(t, 0)
	sealed := k.SealWith("request-1", []byte(plaintext), "opr_1", "POST /v1/operators")
	for name, test := range map[string]struct {
		keyring    *keyring.Keyring
		token      string
		associated []string
		ok         bool
	}{
		"the same value":        {open(t, 0), "request-1", []string{"opr_1", "POST /v1/operators"}, true},
		"another value":         {k, "request-2", []string{"opr_1", "POST /v1/operators"}, false},
		"no value":              {k, "", []string{"opr_1", "POST /v1/operators"}, false},
		"another actor":         {k, "request-1", []string{"opr_2", "POST /v1/operators"}, false},
		"another path":          {k, "request-1", []string{"opr_1", "POST /v1/keys"}, false},
		"another master key":    {open(t, 1), "request-1", []string{"opr_1", "POST /v1/operators"}, false},
		"nothing it is tied to": {k, "request-1", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.keyring.OpenWith(test.token, sealed, test.associated...)
			if (err == nil) != test.ok || test.ok != (string(got) == plaintext) {
				t.Errorf("OpenWith = %q, %v, want ok %v", got, err, test.ok)
			}
		})
	}
	eachFlip(sealed, func(b []byte) {
		if _, err := k.OpenWith("request-1", b, "opr_1", "POST /v1/operators"); !errors.Is(err, keyring.ErrSealed) {
			t.Errorf("OpenWith of altered bytes = %v, want ErrSealed", err)
		}
	})
}

func TestBlindTellsPurposesAndValuesApart(t *testing.T) {
	k := open(t, 0)
	same := k.Blind("a", "bc")
	if same != k.Blind("a", "bc") {
		t.Error("Blind is not a function of its arguments")
	}
	for what, other := range map[string][32]byte{
		"the value": k.Blind("a", "b"), "the purpose": k.Blind("b", "bc"), "where one ends": k.Blind("ab", "c"),
		"the master key": open(t, 1).Blind("a", "bc"), "being no other hash": k.HeaderHash("bc"),
	} {
		if other == same {
			t.Errorf("Blind does not depend on %s", what)
		}
	}
}

func TestHeaderHashTellsValuesApart(t *testing.T) {
	k := open(t, 0)
	if k.HeaderHash("a") != k.HeaderHash("a") || k.HeaderHash("a") == k.HeaderHash("b") {
		t.Error("HeaderHash is not a function of the value")
	}
	if k.HeaderHash("a") == open(t, 1).HeaderHash("a") {
		t.Error("HeaderHash does not depend on the master key")
	}
}

func TestAuditMACsDependOnEveryByteAndOnTheBoundary(t *testing.T) {
	k := open(t, 0)
	previous := k.AuditMAC(nil, []byte("first"))
	mac := k.AuditMAC(previous, []byte("second"))
	if !bytes.Equal(mac, open(t, 0).AuditMAC(previous, []byte("second"))) || len(mac) != 32 {
		t.Fatal("the MAC is not a function of its arguments")
	}
	differs := func(name string, other []byte) {
		t.Helper()
		if bytes.Equal(mac, other) {
			t.Errorf("the MAC is the same with %s", name)
		}
	}
	eachFlip(previous, func(b []byte) { differs("another previous MAC", k.AuditMAC(b, []byte("second"))) })
	eachFlip([]byte("second"), func(b []byte) { differs("another row", k.AuditMAC(previous, b)) })
	differs("no previous MAC", k.AuditMAC(nil, []byte("second")))
	differs("the boundary moved", k.AuditMAC(previous[:31], append([]byte{previous[31]}, "second"...)))
	differs("another master key", open(t, 1).AuditMAC(previous, []byte("second")))
}

func TestCursorsOpenOnlyForTheirList(t *testing.T) {
	k := open(t, 0)
	text := k.SealCursor([]byte("after key_10"), "org_1 name asc")
	if got, err := open(t, 0).OpenCursor(text, "org_1 name asc"); err != nil || string(got) != "after key_10" {
		t.Fatalf("OpenCursor = %q, %v, want the place", got, err)
	}
	if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("the cursor %q is not URL-safe", text)
	}
	refused := func(name string, by *keyring.Keyring, text, binding string) {
		t.Helper()
		got, err := by.OpenCursor(text, binding)
		fields := keyward.FieldsOf(err)
		if got != nil || keyward.CodeOf(err) != keyward.Invalid || len(fields) != 1 ||
			fields[0] != (keyward.FieldError{Pointer: "/cursor", Detail: "is not a cursor of this list"}) {
			t.Errorf("%s: OpenCursor = %q, %v, want the one refusal", name, got, err)
		}
	}
	refused("another list", k, text, "org_2 name asc")
	refused("no list", k, text, "")
	refused("another deployment", open(t, 1), text, "org_1 name asc")
	refused("padding", k, text+"=", "org_1 name asc")
	refused("a line break", k, text[:9]+"\n"+text[9:], "org_1 name asc")
	refused("white space", k, text+" ", "org_1 name asc")
	refused("not base64", k, "%%%", "org_1 name asc")
	refused("too long", k, strings.Repeat("A", keyring.MaxCursorLength+1), "org_1 name asc")
	refused("too long, but ours", k, k.SealCursor(make([]byte, 4000), "org_1 name asc"), "org_1 name asc")
	refused("a megabyte", k, strings.Repeat("A", 1<<20), "org_1 name asc")
	for n := range text {
		refused("cut", k, text[:n], "org_1 name asc")
	}
	eachFlip([]byte(text), func(b []byte) { refused("altered", k, string(b), "org_1 name asc") })
	large := k.SealCursor(make([]byte, 3000), "list")
	if _, err := k.OpenCursor(large, "list"); err != nil {
		t.Errorf("a place of 3000 bytes does not open: %v", err)
	}
}

func FuzzOpenCursor(f *testing.F) {
	k := open(f, 0)
	good := k.SealCursor([]byte("place"), "list")
	for _, text := range []string{good, "", "=", good[1:], good + "\n", k.SealCursor(nil, "other")} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plain, err := k.OpenCursor(text, "list")
		if err == nil && string(plain) != "place" || err != nil && keyward.CodeOf(err) != keyward.Invalid {
			t.Errorf("OpenCursor(%q) = %q, %v", text, plain, err)
		}
	})
}
