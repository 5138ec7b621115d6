package token_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/token"
)

const (
	issuer = "https://keys.example.com"
	now    = keyward.Time(1_800_000_000_000)
)

// testKey is the deployment's key; any other first byte gives another one's.
func testKey(first byte) ed25519.PrivateKey {
	seed := bytes.Repeat([]byte{7}, ed25519.SeedSize)
	seed[0] = first
	return ed25519.NewKeyFromSeed(seed)
}

func newSigner(t testing.TB, first byte) *token.Signer {
	t.Helper()
	s, err := token.New(testKey(first), issuer)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func goodClaims() token.Claims {
	return token.Claims{
		Issuer:         issuer,
		Subject:        "Q3kfB0n2m8rXcT5yLw9ZsD7vHj1PaE4u",
		OrganizationID: "org_1",
		Audience:       "keyward",
		ID:             "jti-1",
		Version:        2,
		IssuedTime:     now,
		ExpireTime:     now.Add(15 * time.Minute),
	}
}

func issue(t testing.TB, s *token.Signer, c token.Claims) string {
	t.Helper()
	text, err := s.Issue(c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// decode returns the JSON object in one part of a token.
func decode(t testing.TB, part string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestWhatIsIssuedIsWhatIsChecked(t *testing.T) {
	s := newSigner(t, 1)
	want := goodClaims()
	want.Extra = map[string]any{"https://vendor.example/claim": "value", "roles": []any{"a", 4.0}}
	got, err := s.Check(issue(t, s, want), []string{"rebilly", "keyward"}, now)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Check = %+v, %v\nwant %+v", got, err, want)
	}
}

func TestTokensHaveTheFormThatIsDocumented(t *testing.T) {
	c := goodClaims()
	c.Issuer = "" // the signer's own
	c.IssuedTime += 999
	c.Extra = map[string]any{"vendor": true}
	parts := strings.Split(issue(t, newSigner(t, 1), c), ".")
	if len(parts) != 3 {
		t.Fatalf("a token has %d parts, want 3", len(parts))
	}
	header := map[string]any{"alg": "EdDSA", "typ": "JWT", "kid": keyID(t, 1)}
	if got := decode(t, parts[0]); !maps.Equal(got, header) {
		t.Errorf("the header is %v, want %v", got, header)
	}
	claims := map[string]any{
		"iss": issuer, "sub": "Q3kfB0n2m8rXcT5yLw9ZsD7vHj1PaE4u", "org": "org_1", "ver": 2.0, "jti": "jti-1",
		"aud": "keyward", "iat": 1_800_000_000.0, "exp": 1_800_000_900.0, "vendor": true,
	}
	if got := decode(t, parts[1]); !maps.Equal(got, claims) {
		t.Errorf("the claims are %v, want %v", got, claims)
	}
}

// keyID returns the kid of the only key in the published set.
func keyID(t testing.TB, first byte) string {
	t.Helper()
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(newSigner(t, first).JWKS(), &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("JWKS has %d keys, %v, want one", len(set.Keys), err)
	}
	return set.Keys[0]["kid"]
}

func TestJWKSPublishesThePublicKeyAndNothingElse(t *testing.T) {
	var got any
	if err := json.Unmarshal(newSigner(t, 1).JWKS(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"keys": []any{map[string]any{
		"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": keyID(t, 1),
		"x": base64.RawURLEncoding.EncodeToString(testKey(1).Public().(ed25519.PublicKey)),
	}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("JWKS = %v, want %v", got, want)
	}
}

// The key and its thumbprint are those of RFC 8037, appendix A.
func TestTheKeyIDIsTheThumbprintOfRFC7638(t *testing.T) {
	seed, _ := base64.RawURLEncoding.DecodeString("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
	s, err := token.New(ed25519.NewKeyFromSeed(seed), issuer)
	if err != nil {
		t.Fatal(err)
	}
	const want = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
	if !strings.Contains(string(s.JWKS()), `"kid":"`+want+`"`) {
		t.Errorf("JWKS = %s, want kid %s", s.JWKS(), want)
	}
}

func TestJWKSIsTheCallersToChange(t *testing.T) {
	s := newSigner(t, 1)
	clear(s.JWKS())
	if !json.Valid(s.JWKS()) {
		t.Error("the caller changed the published set")
	}
}

func TestIssueRefusesWhatCheckWouldRefuse(t *testing.T) {
	s := newSigner(t, 1)
	for name, change := range map[string]func(*token.Claims){
		"another issuer":            func(c *token.Claims) { c.Issuer = issuer + "/" },
		"no subject":                func(c *token.Claims) { c.Subject = "" },
		"no organization":           func(c *token.Claims) { c.OrganizationID = "" },
		"no audience":               func(c *token.Claims) { c.Audience = "" },
		"no id":                     func(c *token.Claims) { c.ID = "" },
		"no version":                func(c *token.Claims) { c.Version = 0 },
		"a negative version":        func(c *token.Claims) { c.Version = -1 },
		"no time of issue":          func(c *token.Claims) { c.IssuedTime = 0 },
		"no expiry":                 func(c *token.Claims) { c.ExpireTime = 0 },
		"expiry at issue":           func(c *token.Claims) { c.ExpireTime = c.IssuedTime },
		"expiry within the second":  func(c *token.Claims) { c.ExpireTime = c.IssuedTime + 999 },
		"expiry in the year 10000":  func(c *token.Claims) { c.ExpireTime = 253402300800_000 },
		"an extra claim iss":        func(c *token.Claims) { c.Extra = map[string]any{"iss": "x"} },
		"an extra claim nbf":        func(c *token.Claims) { c.Extra = map[string]any{"nbf": 1} },
		"an extra that is no JSON":  func(c *token.Claims) { c.Extra = map[string]any{"x": make(chan int)} },
		"more than 8 KiB of claims": func(c *token.Claims) { c.Extra = map[string]any{"x": strings.Repeat("x", 8192)} },
	} {
		t.Run(name, func(t *testing.T) {
			c := goodClaims()
			change(&c)
			if text, err := s.Issue(c); err == nil {
				t.Errorf("Issue = %q, want an error", text)
			}
		})
	}
}

func TestNewRefusesKeysAndIssuersThatCannotWork(t *testing.T) {
	if _, err := token.New(nil, issuer); err == nil {
		t.Error("New without a key succeeded")
	}
	if _, err := token.New(testKey(1)[:63], issuer); err == nil {
		t.Error("New with half a key succeeded")
	}
	if _, err := token.New(testKey(1), ""); err == nil {
		t.Error("New without an issuer succeeded")
	}
}

func TestTheSignerKeepsItsKeyWhenTheCallerErasesIt(t *testing.T) {
	key := testKey(1)
	s, err := token.New(key, issuer)
	if err != nil {
		t.Fatal(err)
	}
	clear(key)
	if _, err := newSigner(t, 1).Check(issue(t, s, goodClaims()), []string{"keyward"}, now); err != nil {
		t.Errorf("Check = %v, want the token to be good", err)
	}
}

func TestTimeBoundsOfATokenThatIsOtherwiseGood(t *testing.T) {
	s := newSigner(t, 1)
	text := issue(t, s, goodClaims())
	expire := goodClaims().ExpireTime
	for name, test := range map[string]struct {
		at   keyward.Time
		want string
	}{
		"when it was issued":                 {now, accepted},
		"a minute before, by a clock behind": {now - 60_000, accepted},
		"a millisecond more than that":       {now - 60_001, refused},
		"the last millisecond":               {expire - 1, accepted},
		"the instant of its expiry":          {expire, expired},
		"long after":                         {expire.Add(1000 * time.Hour), expired},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Check(text, []string{"keyward"}, test.at)
			if got := outcome(err); got != test.want {
				t.Errorf("Check = %s, want %s", got, test.want)
			}
		})
	}
}

// The outcomes of Check.
const (
	accepted = "accepted"
	expired  = "expired"
	refused  = "refused"
)

// outcome names the outcome of Check, and makes any other error stand out.
func outcome(err error) string {
	switch {
	case err == nil:
		return accepted
	case keyward.CodeOf(err) != keyward.Unauthenticated:
		return "not Unauthenticated: " + err.Error()
	case errors.Is(err, token.ErrExpired) && keyward.MessageOf(err) == "The access token expired.":
		return expired
	case !errors.Is(err, token.ErrExpired) && keyward.MessageOf(err) == "the access token is not valid":
		return refused
	}
	return err.Error()
}

func TestATokenIsForOneOfTheAudiencesThatAreAskedFor(t *testing.T) {
	s := newSigner(t, 1)
	text := issue(t, s, goodClaims())
	for name, test := range map[string]struct {
		audiences []string
		ok        bool
	}{
		"the only one":    {[]string{"keyward"}, true},
		"one of them":     {[]string{"rebilly", "keyward"}, true},
		"another":         {[]string{"aerospike"}, false},
		"other case":      {[]string{"Keyward"}, false},
		"a part of it":    {[]string{"key"}, false},
		"none":            {nil, false},
		"the empty one":   {[]string{""}, false},
		"others but many": {slices.Repeat([]string{"x"}, 100), false},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Check(text, test.audiences, now); (err == nil) != test.ok {
				t.Errorf("Check = %v, want ok %v", err, test.ok)
			}
		})
	}
}

func TestLooksLikeTellsTokensFromKeys(t *testing.T) {
	for text, want := range map[string]bool{
		issue(t, newSigner(t, 1), goodClaims()): true,
		"eyJ..":                                 true,
		"":                                      false,
		"eyJ":                                   false,
		"eyJ.":                                  false,
		"eyJ...":                                false,
		"a.b.c":                                 false,
		" eyJ.a.b":                              false,
		"Bearer eyJ.a.b":                        false,
		keyward.NewSecret("kw", keyward.Live).Reveal(): false,
	} {
		if got := token.LooksLike(text); got != want {
			t.Errorf("LooksLike(%d bytes) = %v, want %v", len(text), got, want)
		}
	}
}

func TestASignerDoesNotPrintItsKey(t *testing.T) {
	s := newSigner(t, 1)
	for _, value := range []any{s, *s, struct{ s *token.Signer }{s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, value)
			for _, secret := range []string{"7 7 7 7", "0x7, 0x7", "07070707", `\a\a\a`, "\a\a\a"} {
				if strings.Contains(text, secret) {
					t.Errorf("%s prints the key", verb)
				}
			}
		}
	}
}
