package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// A forger knows everything but the private key of the deployment, and has one
// good token.
type forger struct {
	testing.TB
	good string
	kid  string
}

func newForger(t testing.TB) forger {
	return forger{TB: t, good: issue(t, newSigner(t, 1), goodClaims()), kid: keyID(t, 1)}
}

func b64(raw string) string { return base64.RawURLEncoding.EncodeToString([]byte(raw)) }

// object writes a JSON object of raw values, some replaced and, if replaced by
// nothing, left out.
func object(members map[string]string, order []string, changes ...string) string {
	var text []string
	for i := 0; i < len(changes); i += 2 {
		if _, ok := members[changes[i]]; !ok {
			order = append(slices.Clone(order), changes[i])
		}
		members[changes[i]] = changes[i+1]
	}
	for _, name := range order {
		if members[name] != "" {
			text = append(text, fmt.Sprintf("%q:%s", name, members[name]))
		}
	}
	return "{" + strings.Join(text, ",") + "}"
}

func (f forger) header(changes ...string) string {
	return object(map[string]string{"alg": `"EdDSA"`, "kid": `"` + f.kid + `"`, "typ": `"JWT"`},
		[]string{"alg", "kid", "typ"}, changes...)
}

func payload(changes ...string) string {
	return object(map[string]string{
		"iss": `"` + issuer + `"`, "sub": `"client"`, "org": `"org_1"`, "ver": "1", "jti": `"jti-2"`,
		"aud": `"keyward"`, "iat": "1800000000", "exp": "1800000900",
	}, []string{"iss", "sub", "org", "ver", "jti", "aud", "iat", "exp"}, changes...)
}

// sign signs with the key of the deployment, to show that the check does not rest
// on the signature alone; with any other first byte it is the forger's own key.
func sign(first byte, header, payload string) string {
	text := b64(header) + "." + b64(payload)
	return text + "." + b64(string(ed25519.Sign(testKey(first), []byte(text))))
}

// hs signs with HMAC, as libraries do that take the algorithm from the header.
func (f forger) hs(key []byte) string {
	text := b64(f.header("alg", `"HS256"`)) + "." + b64(payload())
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return text + "." + b64(string(mac.Sum(nil)))
}

func (f forger) part(i int) string { return strings.Split(f.good, ".")[i] }

// with replaces one part of the good token.
func (f forger) with(i int, part string) string {
	parts := strings.Split(f.good, ".")
	parts[i] = part
	return strings.Join(parts, ".")
}

func TestNoForgedTokenIsAccepted(t *testing.T) {
	f := newForger(t)
	count := 0
	for group, vectors := range map[string]map[string]string{
		"algorithm": f.algorithms(),
		"header":    f.headers(),
		"claims":    f.claims(),
		"text":      f.texts(),
		"signature": f.signatures(),
	} {
		count += len(vectors)
		for name, text := range vectors {
			t.Run(group+"/"+name, func(t *testing.T) {
				claims, err := newSigner(t, 1).Check(text, []string{"keyward", "rebilly"}, now)
				if outcome(err) != refused {
					t.Errorf("Check = %+v, %v, want a refusal", claims, err)
				}
			})
		}
	}
	if count < 80 {
		t.Errorf("%d forged tokens were tried, want at least 80", count)
	}
}

func (f forger) algorithms() map[string]string {
	public := testKey(1).Public().(ed25519.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		f.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	x := base64.RawURLEncoding.EncodeToString(public)
	signature := "." + f.part(2)
	body := "." + b64(payload())
	vectors := map[string]string{
		"HS256 with the public key":                 f.hs(public),
		"HS256 with the public key in base64":       f.hs([]byte(x)),
		"HS256 with the public key in DER":          f.hs(der),
		"HS256 with the public key in PEM":          f.hs(block),
		"HS256 with PEM, no line end":               f.hs(block[:len(block)-1]),
		"HS256 with PEM, two line ends":             f.hs(append(slices.Clone(block), '\n')),
		"HS256 with the JWK":                        f.hs([]byte(`{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}`)),
		"HS256 with the JWK set":                    f.hs(newSigner(f, 1).JWKS()),
		"HS256 with the kid":                        f.hs([]byte(f.kid)),
		"HS256 with no key":                         f.hs(nil),
		"RS256 by the forger":                       f.rsa(),
		"ES256 by the forger":                       f.ecdsa(),
		"the good signature under another payload":  b64(f.header()) + body + signature,
		"our signature, but said to be of another":  sign(1, f.header("alg", `"ES256"`), payload()),
		"our signature, no algorithm":               sign(1, f.header("alg", ""), payload()),
		"our signature, a number for the algorithm": sign(1, f.header("alg", "1"), payload()),
		"our signature, a list of algorithms":       sign(1, f.header("alg", `["EdDSA"]`), payload()),
		"our signature, null for the algorithm":     sign(1, f.header("alg", "null"), payload()),
		"our signature, the curve for algorithm":    sign(1, f.header("alg", `"Ed25519"`), payload()),
	}
	for _, alg := range []string{"none", "None", "nOnE", "NONE", "", " HS256", "eddsa", "EDDSA", "EdDSA ", "EdDSA\u0000"} {
		header := b64(f.header("alg", fmt.Sprintf("%q", alg)))
		vectors[fmt.Sprintf("%q, unsigned", alg)] = header + body + "."
		vectors[fmt.Sprintf("%q, with the good signature", alg)] = header + body + signature
		vectors[fmt.Sprintf("%q, signed by us", alg)] = sign(1, f.header("alg", fmt.Sprintf("%q", alg)), payload())
	}
	return vectors
}

func (f forger) rsa() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	text := b64(f.header("alg", `"RS256"`)) + "." + b64(payload())
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		f.Fatal(err)
	}
	return text + "." + b64(string(signature))
}

func (f forger) ecdsa() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	text := b64(f.header("alg", `"ES256"`)) + "." + b64(payload())
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		f.Fatal(err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + b64(string(signature[:]))
}

func (f forger) headers() map[string]string {
	x := base64.RawURLEncoding.EncodeToString(testKey(2).Public().(ed25519.PublicKey))
	jwk := `{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","x":"` + x + `"}`
	forged := func(changes ...string) string { return sign(2, f.header(changes...), payload()) }
	ours := func(changes ...string) string { return sign(1, f.header(changes...), payload()) }
	return map[string]string{
		"another deployment's token":       issue(f, newSigner(f, 2), goodClaims()),
		"another's key, our kid":           forged(),
		"another's key and kid":            forged("kid", `"`+keyID(f, 2)+`"`),
		"another's key, embedded":          forged("jwk", jwk),
		"another's key, embedded, no kid":  forged("jwk", jwk, "kid", ""),
		"another's key, by URL":            forged("jku", `"https://attacker.example/jwks.json"`),
		"another's certificate, by URL":    forged("x5u", `"https://attacker.example/cert.pem"`),
		"another's certificate, embedded":  forged("x5c", `["MIIB"]`),
		"our key, an embedded one besides": ours("jwk", jwk),
		"our key, a URL besides":           ours("jku", `"https://attacker.example/jwks.json"`),
		"our key, a certificate besides":   ours("x5c", `["MIIB"]`),
		"kid that climbs folders":          ours("kid", `"../../../dev/null"`),
		"kid that is SQL":                  ours("kid", `"' OR 1=1--"`),
		"kid that is SQL after ours":       ours("kid", `"`+f.kid+`' OR '1'='1"`),
		"kid with a zero byte after ours":  ours("kid", `"`+f.kid+`\u0000"`),
		"kid of 6 KiB":                     ours("kid", `"`+strings.Repeat("k", 4600)+`"`),
		"kid of 10 KiB":                    ours("kid", `"`+strings.Repeat("k", 10<<10)+`"`),
		"kid that is a number":             ours("kid", "7"),
		"kid that is null":                 ours("kid", "null"),
		"kid that is a list":               ours("kid", `["`+f.kid+`"]`),
		"kid that is empty":                ours("kid", `""`),
		"kid in upper case":                ours("kid", `"`+strings.ToUpper(f.kid)+`"`),
		"no kid":                           ours("kid", ""),
		"no typ":                           ours("typ", ""),
		"typ of an id token":               ours("typ", `"id+jwt"`),
		"typ of RFC 9068":                  ours("typ", `"at+jwt"`),
		"typ refresh":                      ours("typ", `"refresh"`),
		"typ JWE":                          ours("typ", `"JWE"`),
		"typ that is empty":                ours("typ", `""`),
		"typ that is null":                 ours("typ", "null"),
		"crit unknown":                     ours("crit", `["x"]`, "x", "1"),
		"crit empty":                       ours("crit", `[]`),
		"crit null":                        ours("crit", "null"),
		"crit b64":                         ours("crit", `["b64"]`, "b64", "true"),
		"crit exp":                         ours("crit", `["exp"]`, "exp", "1"),
		"b64 off":                          ours("b64", "false"),
		"compressed":                       ours("zip", `"DEF"`),
		"nested content":                   ours("cty", `"JWT"`),
		"an unknown member":                ours("x", "1"),
		"alg twice":                        sign(1, strings.Replace(f.header(), "{", `{"alg":"none",`, 1), payload()),
		"kid twice":                        sign(1, strings.Replace(f.header(), "{", `{"kid":"x",`, 1), payload()),
		"kid twice, the same":              sign(1, strings.Replace(f.header(), "{", `{"kid":"`+f.kid+`",`, 1), payload()),
		"alg in other case":                sign(1, strings.Replace(f.header(), `"alg"`, `"Alg"`, 1), payload()),
		"a second object":                  sign(1, f.header()+f.header(), payload()),
		"a list":                           sign(1, "["+f.header()+"]", payload()),
		"null":                             sign(1, "null", payload()),
		"empty":                            sign(1, "", payload()),
		"no JSON":                          sign(1, "eyJ", payload()),
		"an object without end":            sign(1, strings.TrimSuffix(f.header(), "}"), payload()),
		"2000 nested lists":                sign(1, strings.Repeat("[", 2000), payload()),
	}
}

func (f forger) claims() map[string]string {
	vectors := map[string]string{
		"a claim twice":                sign(1, f.header(), strings.Replace(payload(), "{", `{"sub":"other",`, 1)),
		"a claim twice, escaped":       sign(1, f.header(), strings.Replace(payload(), "{", `{"\u0073ub":"other",`, 1)),
		"an extra claim twice":         sign(1, f.header(), strings.Replace(payload(), "{", `{"x":1,"x":1,`, 1)),
		"a claim twice within another": sign(1, f.header(), payload("x", `{"a":1,"a":2}`)),
		"claims in other case":         sign(1, f.header(), strings.Replace(payload(), `"sub"`, `"Sub"`, 1)),
		"a second object":              sign(1, f.header(), payload()+payload()),
		"a list of claims":             sign(1, f.header(), "["+payload()+"]"),
		"null for claims":              sign(1, f.header(), "null"),
		"a string for claims":          sign(1, f.header(), `"claims"`),
		"no claims":                    sign(1, f.header(), "{}"),
		"nothing":                      sign(1, f.header(), ""),
		"another token inside":         sign(1, f.header(), f.good),
	}
	for name, values := range map[string][]string{
		"iss": {"", "null", `""`, "1", `"` + issuer + `/"`, `"HTTPS://keys.example.com"`, `"https://attacker.example"`, `["` + issuer + `"]`},
		"aud": {
			"", "null", `""`, "1", "[]", `[""]`, `[null]`, `[["keyward"]]`, `"aerospike"`, `"Keyward"`, `"keyward rebilly"`,
			`["keyward","rebilly"]`, `["keyward","foreign"]`, `["keyward","keyward"]`, `{"keyward":true}`,
		},
		"sub": {"", "null", `""`, "1", `["client"]`},
		"org": {"", "null", `""`, "1", "{}"},
		"jti": {"", "null", `""`, "1", "true"},
		"ver": {"", "null", "0", "-1", "1.0", "1.5", "1e0", `"1"`, "2147483648", "9223372036854775808", "true"},
		"iat": {"", "null", "0", "-1", `"1800000000"`, "1800000061", "1800000000.5", "1.8e9", "1e300"},
		"exp": {
			"", "null", "0", "-1", `"1800000900"`, "1800000900.5", "1.8000009e9", "1e300", "253402300800",
			"9223372036854775807", "9223372036854775808", "18446744073709551615", "true", "[1800000900]",
		},
		"nbf": {"null", "0", "-1", "1800000001", "1800003600", `"1800000000"`, "1e9", "9223372036854775808"},
	} {
		for _, value := range values {
			shown := value
			if shown == "" {
				shown = "left out"
			}
			vectors[name+" "+shown] = sign(1, f.header(), payload(name, value))
		}
	}
	vectors["expired, for another audience"] = sign(1, f.header(), payload("exp", "1", "aud", `"other"`))
	vectors["expired, signed by another"] = sign(2, f.header(), payload("exp", "1799999999"))
	return vectors
}

func (f forger) texts() map[string]string {
	header, body, signature := f.part(0), f.part(1), f.part(2)
	vectors := map[string]string{
		"empty":                      "",
		"one dot":                    ".",
		"two dots":                   "..",
		"100,000 dots":               strings.Repeat(".", 100_000),
		"100,000 dots after it":      f.good + strings.Repeat(".", 100_000),
		"a megabyte":                 f.good + strings.Repeat("A", 1<<20),
		"oversize header":            strings.Repeat("A", 8<<10) + "." + body + "." + signature,
		"five parts":                 header + "." + body + "." + signature + "." + body + "." + signature,
		"an encrypted token":         b64(`{"alg":"dir","enc":"A256GCM"}`) + "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
		"four parts":                 f.good + ".",
		"two parts":                  header + "." + body,
		"one part":                   header,
		"no header":                  f.with(0, ""),
		"no payload":                 f.with(1, ""),
		"no signature":               f.with(2, ""),
		"parts in another order":     body + "." + header + "." + signature,
		"JSON serialization":         `{"payload":"` + body + `","protected":"` + header + `","signature":"` + signature + `"}`,
		"JSON serialization, dotted": `{"payload":"` + body + `","protected":"` + header + `","signature":"` + signature + `","x":".."}`,
		"with the word Bearer":       "Bearer " + f.good,
		"a space before":             " " + f.good,
		"a space after":              f.good + " ",
		"a line end after":           f.good + "\n",
		"a zero byte after":          f.good + "\x00",
		"the good token twice":       f.good + f.good,
		"in upper case":              strings.ToUpper(f.good),
		"padding bits set":           f.good[:len(f.good)-1] + "_",
	}
	for i, name := range []string{"header", "payload", "signature"} {
		part := f.part(i)
		vectors[name+" padded"] = f.with(i, part+strings.Repeat("=", (4-len(part)%4)%4)+"=")
		vectors[name+" with a line break"] = f.with(i, part[:8]+"\n"+part[8:])
		vectors[name+" with a carriage return"] = f.with(i, part[:8]+"\r\n"+part[8:])
		vectors[name+" with a space"] = f.with(i, part[:8]+" "+part[8:])
		vectors[name+" in the standard alphabet"] = f.with(i, "+/"+part[2:])
		vectors[name+" with a percent escape"] = f.with(i, "%65"+part[1:])
		vectors[name+" cut"] = f.with(i, part[:len(part)-1])
		vectors[name+" with one more"] = f.with(i, part+"A")
		vectors[name+" of another token"] = f.with(i, strings.Split(sign(2, f.header("typ", `"jwt"`), payload()), ".")[i])
	}
	return vectors
}

func (f forger) signatures() map[string]string {
	signature, err := base64.RawURLEncoding.DecodeString(f.part(2))
	if err != nil {
		f.Fatal(err)
	}
	// S plus the order of the group satisfies the equation too (RFC 8032, 5.1.7).
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := slices.Clone(signature[32:])
	slices.Reverse(s)
	malleable := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(malleable)
	identity := append([]byte{1}, make([]byte, 63)...) // R is the neutral point, S is zero
	prehashed := sha512.Sum512([]byte(f.part(0) + "." + f.part(1)))
	return map[string]string{
		"S made larger by the order": f.with(2, b64(string(signature[:32])+string(malleable))),
		"all zero":                   f.with(2, b64(string(make([]byte, 64)))),
		"the neutral point":          f.with(2, b64(string(identity))),
		"of the hash":                f.with(2, b64(string(ed25519.Sign(testKey(1), prehashed[:])))),
		"of the payload alone":       f.with(2, b64(string(ed25519.Sign(testKey(1), []byte(f.part(1)))))),
		"63 bytes":                   f.with(2, b64(string(signature[:63]))),
		"65 bytes":                   f.with(2, b64(string(signature)+"\x00")),
		"halves exchanged":           f.with(2, b64(string(signature[32:])+string(signature[:32]))),
	}
}
