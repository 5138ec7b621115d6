package keyring_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"keyward/internal/keyring"
)

// master returns the known master key 00 01 02 … 1f, or another one.
func master(first byte) []byte {
	key := make([]byte, keyring.MasterKeySize)
	for i := range key {
		key[i] = first + byte(i)
	}
	return key
}

func open(t testing.TB, first byte) *keyring.Keyring {
	t.Helper()
	k, err := keyring.New(master(first))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The values below are on users' disks: a test that fails here means that no
// database of an older version opens any more.
func TestDerivationsOfAKnownMasterKeyNeverChange(t *testing.T) {
	k := open(t, 0)
	digest := k.DigestString("kw_live_example")
	header, blind := k.HeaderHash("request-1"), k.Blind("purpose", "value")
	for name, test := range map[string]struct{ got, want string }{
		"the master key's id":  {k.ID(), "385175d093f50f2c"},
		"the pepper's id":      {k.PepperID(), "p1-653f78a4"},
		"the wrapping key's":   {k.KEKID(), "k1-a5792948"},
		"the audit key's id":   {k.AuditKeyID(), "a1-93f3ec55"},
		"the digest of a text": {hex.EncodeToString(digest[:]), "d56aace3a5ffec773db91994c521ace9a5f556a2f2b358f781f6ed0819488583"},
		"the hash of a header": {hex.EncodeToString(header[:]), "c1a1c435a212b87474f63e6e1e578178cbce15c099acd71a51f9e44da95fd9d0"},
		"what is hidden":       {hex.EncodeToString(blind[:]), "8a2a32a31ab623d1f9d2b144b784e8e2c40256ae5718ee087db394eb0e5b111c"},
		"the audit chain":      {hex.EncodeToString(k.AuditMAC(nil, []byte("row"))), "74a047248df3ac2fecea9e4713e31715e55b6c771c27805da2ba30a27e0fa838"},
		"the token key": {
			hex.EncodeToString(k.TokenKey().Public().(ed25519.PublicKey)), "e25ba569ecf03dd642e934e56c554091ceeea199026c95626b83d6a3da06061b",
		},
	} {
		if test.got != test.want {
			t.Errorf("%s is %s, want %s", name, test.got, test.want)
		}
	}
}

func TestEveryDerivationDiffersByLabelAndByMasterKey(t *testing.T) {
	seen := map[string]string{}
	for _, first := range []byte{0, 1} {
		k := open(t, first)
		digest, header := k.DigestString("same"), k.HeaderHash("same")
		for name, value := range map[string]string{
			"id": k.ID(), "pepper id": k.PepperID()[3:], "KEK id": k.KEKID()[3:], "audit id": k.AuditKeyID()[3:],
			"digest": string(digest[:]), "header": string(header[:]), "audit": string(k.AuditMAC(nil, []byte("same"))),
			"token": string(k.TokenKey()),
		} {
			name = fmt.Sprintf("%s of %d", name, first)
			if other, ok := seen[value]; ok {
				t.Errorf("%s equals %s", name, other)
			}
			seen[value] = name
		}
	}
}

func TestNewWantsExactly32Bytes(t *testing.T) {
	for _, size := range []int{0, 1, 16, 31, 33, 64} {
		_, err := keyring.New(make([]byte, size))
		if err == nil || !strings.Contains(err.Error(), "openssl rand") {
			t.Errorf("New(%d bytes) = %v, want an error that says what to do", size, err)
		}
	}
}

func TestNewKeepsNoReferenceToTheMasterKey(t *testing.T) {
	key := master(0)
	k, err := keyring.New(key)
	if err != nil {
		t.Fatal(err)
	}
	clear(key)
	if k.DigestString("x") != open(t, 0).DigestString("x") {
		t.Error("clearing the master key changed the digests")
	}
}

func TestParse(t *testing.T) {
	std := base64.StdEncoding.EncodeToString(master(0xe0))
	url := base64.URLEncoding.EncodeToString(master(0xe0))
	equal := func(b byte) string {
		return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, keyring.MasterKeySize))
	}
	for name, test := range map[string]struct {
		text string
		ok   bool
	}{
		"standard alphabet":      {std, true},
		"URL alphabet":           {url, true},
		"standard, no padding":   {strings.TrimRight(std, "="), true},
		"URL, no padding":        {strings.TrimRight(url, "="), true},
		"a file with a line end": {std + "\r\n", true},
		"white space around":     {" \t" + std + " \n", true},
		"nothing":                {"", false},
		"only white space":       {" \n", false},
		"31 bytes":               {base64.StdEncoding.EncodeToString(master(0)[:31]), false},
		"33 bytes":               {base64.StdEncoding.EncodeToString(append(master(0), 7)), false},
		"hexadecimal":            {hex.EncodeToString(master(0)), false},
		"a line break inside":    {std[:20] + "\n" + std[20:], false},
		"two pads":               {std + "=", false},
		"not base64":             {"!" + std[1:], false},
		"bits after the end":     {std[:42] + "9=", false},
		"all zero":               {equal(0), false},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := keyring.Parse(test.text)
			if (err == nil) != test.ok {
				t.Fatalf("Parse = %v, want ok %v", err, test.ok)
			}
			if test.ok && k.ID() != open(t, 0xe0).ID() {
				t.Error("Parse read another key")
			}
			if err != nil && len(test.text) > 8 && strings.Contains(err.Error(), strings.TrimSpace(test.text)) {
				t.Errorf("the error contains the key: %v", err)
			}
		})
	}
}

func TestGenerateMakesDifferentKeysThatParse(t *testing.T) {
	one, two := keyring.Generate(), keyring.Generate()
	if one == two {
		t.Error("Generate made the same key twice")
	}
	for _, text := range []string{one, two} {
		if _, err := keyring.Parse(text); err != nil {
			t.Errorf("Parse(Generate()) = %v", err)
		}
	}
}

func TestNothingPrintsTheKeys(t *testing.T) {
	k := open(t, 0)
	seed := k.TokenKey().Seed()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	for _, value := range []any{k, *k, []*keyring.Keyring{k}, struct{ K *keyring.Keyring }{k}, struct{ k *keyring.Keyring }{k}, struct{ k keyring.Keyring }{*k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		log.Info("started", "keyring", value)
		text, _ := json.Marshal(value)
		out.Write(text)
	}
	for name, secret := range map[string]string{
		"in decimal":     strings.Trim(fmt.Sprint(seed[:4]), "[]"),
		"as Go syntax":   strings.TrimSuffix(fmt.Sprintf("%#v", seed[:4])[len("[]byte{"):], "}"),
		"in hexadecimal": hex.EncodeToString(seed[:4]),
		"in base64":      base64.StdEncoding.EncodeToString(seed[:6]),
		"as it is":       string(seed[:4]),
		"as a struct":    "pepper",
	} {
		if strings.Contains(strings.ToLower(out.String()), strings.ToLower(secret)) {
			t.Errorf("the keys were printed %s", name)
		}
	}
	if !strings.Contains(out.String(), "[redacted]") {
		t.Error("nothing was printed as [redacted]")
	}
}

func TestTokenKeyIsACopyOfAKeyThatSigns(t *testing.T) {
	k := open(t, 0)
	first := k.TokenKey()
	message := []byte("message")
	signature := ed25519.Sign(first, message)
	clear(first)
	if !ed25519.Verify(k.TokenKey().Public().(ed25519.PublicKey), message, signature) {
		t.Error("the caller's copy changed the key")
	}
}
