package server_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
)

// part encodes one part of a token.
func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// forgeries returns tokens made from a good one by somebody who has it and the
// server's public key.
func (h *trial) forgeries(good string) map[string]string {
	h.t.Helper()
	parts := strings.Split(good, ".")
	header, claims, signature := decoded(h.t, parts[0]), decoded(h.t, parts[1]), parts[2]
	public, kid := h.publicKey()
	_, mine, err := ed25519.GenerateKey(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	signed := func(header, claims string) string {
		text := part(header) + "." + part(claims)
		return text + "." + part(string(ed25519.Sign(mine, []byte(text))))
	}
	mac := func(key []byte) string {
		text := part(`{"alg":"HS256","kid":"`+kid+`","typ":"JWT"}`) + "." + parts[1]
		hash := hmac.New(sha256.New, key)
		hash.Write([]byte(text))
		return text + "." + part(string(hash.Sum(nil)))
	}
	forged := map[string]string{
		"A51 empty signature": parts[0] + "." + parts[1] + ".", "A51 no signature": parts[0] + "." + parts[1],
		"A52 HS256 with the key's bytes": mac(public), "A52 HS256 with the key's text": mac([]byte(part(string(public)))),
		"A52 HS256 with the key's text and a newline": mac([]byte(part(string(public)) + "\n")),
		"A53 signed by somebody":                      signed(header, claims), "A57 five parts": good + ".a.b", "A57 four parts": good + ".a",
		"A57 100,000 dots": times(100_000, "."), "A57 5,000 dots": times(5000, "."), "A57 three dots": "...", "A57 two dots": "..",
		"A58 a signature of zeros": parts[0] + "." + parts[1] + "." + part(times(64, "\x00")), "A58 half a signature": parts[0] + "." + parts[1] + "." + signature[:43],
		"A58 a longer signature": good + "AA", "A58 a flipped bit": parts[0] + "." + parts[1] + "." + flipped(signature), "padding": parts[0] + "." + parts[1] + "." + signature + "==",
		"white space": parts[0] + "." + parts[1] + "\n." + signature, "other alphabet": parts[0] + "." + parts[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(signature) + "=",
		"the signature's last bits": parts[0] + "." + parts[1] + "." + signature[:len(signature)-1] + nextLetter(signature[len(signature)-1]),
	}
	for _, alg := range []string{"none", "None", "nOnE", " EdDSA", "HS256", "ES256", "RS256", "Ed25519", "eddsa", ""} {
		forged["A51 alg "+alg] = part(`{"alg":"`+alg+`","kid":"`+kid+`","typ":"JWT"}`) + "." + parts[1] + "."
		forged["A51 signed, alg "+alg] = part(`{"alg":"`+alg+`","kid":"`+kid+`","typ":"JWT"}`) + "." + parts[1] + "." + signature
	}
	for name, other := range map[string]string{
		"A53 kid path": `"kid":"../../../x"`, "A53 kid SQL": `"kid":"' OR 1=1--"`, "A53 kid long": `"kid":"` + times(3000, "a") + `"`, "A53 kid number": `"kid":1`, "A53 no kid": `"x":1`,
		"A54 jwk": `"jwk":{"kty":"OKP","crv":"Ed25519","x":"` + part(string(mine.Public().(ed25519.PublicKey))) + `"}`, "A54 jku": `"jku":"http://127.0.0.1:1/jwks"`,
		"A54 x5u": `"x5u":"http://127.0.0.1:1/x"`, "A54 x5c": `"x5c":["MA=="]`, "A57 crit": `"crit":["exp"]`, "A57 zip": `"zip":"DEF"`, "A57 b64": `"b64":false`,
	} {
		forged[name] = signed(`{"alg":"EdDSA","typ":"JWT",`+other+`}`, claims)
		forged[name+", with the good signature"] = part(`{"alg":"EdDSA","typ":"JWT",`+other+`}`) + "." + parts[1] + "." + signature
	}
	for name, change := range map[string][2]string{
		"A55 a later end": {`"exp":`, `"exp":9`}, "A55 a text for an end": {`"exp":`, `"exp":"x","was":`}, "A55 an endless end": {`"exp":`, `"exp":1e300,"was":`},
		"A55 no end": {`"exp":`, `"was":`}, "A56 another audience": {`"aud":`, `"aud":["keyward","aerospike","rebilly"],"was":`}, "A56 another issuer": {`"iss":"`, `"iss":"x`},
		"another organization": {`"org":"`, `"org":"x`}, "another key": {`"sub":"`, `"sub":"x`}, "A57 a claim twice": {`"ver":`, `"ver":2,"ver":`}, "another version": {`"ver":`, `"ver":9`},
	} {
		forged[name] = parts[0] + "." + part(strings.Replace(claims, change[0], change[1], 1)) + "." + signature
		forged[name+", signed by somebody"] = signed(header, strings.Replace(claims, change[0], change[1], 1))
	}
	return forged
}

func decoded(t *testing.T, part string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func flipped(signature string) string { return nextLetter(signature[0]) + signature[1:] }

func nextLetter(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[(strings.IndexByte(alphabet, c)+1)%len(alphabet)])
}

// publicKey returns the key that tokens are checked with, as anybody can have it.
func (h *trial) publicKey() (public []byte, kid string) {
	h.t.Helper()
	var set struct {
		Keys []struct{ X, Kid string }
	}
	body := h.ask(h.t, "GET", "/.well-known/jwks.json", "").body
	if err := json.Unmarshal([]byte(body), &set); err != nil || len(set.Keys) != 1 {
		h.t.Fatalf("%v in %s", err, body)
	}
	return []byte(decoded(h.t, set.Keys[0].X)), set.Keys[0].Kid
}

// A forged token is nobody on every surface, and nothing when it is to be verified.
func TestForgedTokensAreRefused(t *testing.T) {
	h := newTrial(t)
	session := h.person(t, h.o, keyward.Owner).session
	h.head, h.state = h.world.head(t), h.snapshot(t, h.o)
	for _, s := range surfaces() {
		switch s.name {
		case "native", "oauth", "gjirafa":
			h.tryForged(s, h.who.token)
		case "aerospike":
			h.tryForged(s, h.who.vendor)
		case "rebilly":
			h.tryForged(s, h.who.token)
			h.tryForged(s, session)
		}
	}
	h.unwritten("tokens")
	h.end(300)
}

// tryForged tries what can be made of a token that is good on a surface.
func (h *trial) tryForged(s surface, good string) {
	h.t.Helper()
	closed := s.closed(1)[0]
	for _, route := range s.routes {
		if !route.Open && strings.HasPrefix(route.Pattern, "GET ") {
			closed = askings(route)[0]
			break
		}
	}
	if got := h.send(h.t, closed, h.values, bearer(good)); got.status >= 300 {
		h.t.Fatalf("%s: the good token: %d %s", s.name, got.status, got.body)
	}
	for name, text := range h.forgeries(good) {
		if text == good {
			h.t.Fatalf("%s is the good token", name)
		}
		header := bearer(text)
		if strings.ContainsAny(text, "\n") {
			header = bearer(url.QueryEscape(text))
		}
		if len(text) > 20000 {
			continue // net/http refuses the header, as the bytes on the wire show
		}
		h.refuse(name+" on "+s.name, s, h.send(h.t, closed, h.values, header))
		body, err := json.Marshal(map[string]any{"key": text, "explain": true})
		if err != nil {
			h.t.Fatal(err)
		}
		if got := h.as(h.t, h.who.operator, "POST", "/v1/verify", string(body)); got.body != `{"valid":false,"code":"not_found"}` {
			h.t.Errorf("%s is verified: %d %s", name, got.status, got.body)
		}
		h.tried++
		if strings.Contains(text, "\n") {
			continue // no form may hold it
		}
		form := url.Values{"token": {text}}.Encode()
		if got := h.as(h.t, h.who.operator, "POST", "/oauth/introspect", form, "Content-Type", api.MediaForm); got.body != `{"active":false}` {
			h.t.Errorf("%s is worth something: %d %s", name, got.status, got.body)
		}
		if got := h.ask(h.t, "POST", "/oauth/revoke", form, "Content-Type", api.MediaForm); got.status != 200 || got.header.Get("Keyward-Propagation") != "" {
			h.t.Errorf("%s is revoked: %d %s", name, got.status, got.body)
		}
	}
}

// grants are requests for tokens that are refused: a form, and the header of the client.
func grants(id, secret, other string) map[string][3]string {
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	client := "client_id=" + id + "&client_secret=" + secret
	return map[string][3]string{
		"A60 a wrong secret": {"grant_type=client_credentials&client_id=" + id + "&client_secret=x", "", ""}, "A60 no secret": {"grant_type=client_credentials&client_id=" + id, "", ""},
		"A60 an empty secret": {"grant_type=client_credentials&client_id=" + id + "&client_secret=", "", ""}, "A60 nobody": {"grant_type=client_credentials", "", ""},
		"A60 another's id": {"grant_type=client_credentials&client_id=" + other + "&client_secret=" + secret, "", ""}, "A60 no grant": {client, "", ""}, "A60 an unknown grant": {client + "&grant_type=magic", "", ""},
		"A60 the password grant": {client + "&grant_type=password&username=root&password=root", "", ""}, "A60 a refresh": {client + "&grant_type=refresh_token&refresh_token=x", "", ""},
		"A60 a code": {client + "&grant_type=authorization_code&code=x", "", ""}, "A60 two ways": {client + "&grant_type=client_credentials", basic(id, secret), ""},
		"A60 two ids": {"grant_type=client_credentials&client_id=" + other, basic(id, secret), ""}, "A60 the secret in the query": {"grant_type=client_credentials", "", "?" + client},
		"A60 a client twice": {client + "&" + client + "&grant_type=client_credentials", "", ""}, "A60 a grant twice": {client + "&grant_type=client_credentials&grant_type=client_credentials", "", ""},
		"A60 Basic without a colon": {"grant_type=client_credentials", "Basic " + base64.StdEncoding.EncodeToString([]byte(id)), ""}, "A60 Basic that is not base64": {"grant_type=client_credentials", "Basic *", ""},
		"A60 Basic with a wrong secret": {"grant_type=client_credentials", basic(id, "x"), ""}, "A60 the key as Bearer": {"grant_type=client_credentials", "Bearer " + secret, ""},
		"A60 a secret in another case": {"grant_type=client_credentials&client_id=" + id + "&client_secret=" + strings.ToUpper(secret), "", ""}, "A60 an id in another case": {"grant_type=client_credentials&client_id=" + strings.ToUpper(id) + "&client_secret=" + secret, "", ""},
		"A60 a secret with a space": {"grant_type=client_credentials&client_id=" + id + "&client_secret=%20" + secret, "", ""}, "A60 garbage": {"%zz=%zz", "", ""}, "A60 a NUL": {"grant_type=client_credentials%00&" + client, "", ""},
		"A60 SQL": {"grant_type=client_credentials&client_id=' OR '1'='1&client_secret=' OR '1'='1", "", ""}, "A60 JSON as a form": {`{"grant_type":"client_credentials"}`, "", ""},
		"A60 a client assertion": {"grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=e30.e30.", "", ""},
		"A60 a long secret":      {"grant_type=client_credentials&client_id=" + id + "&client_secret=" + times(60000, "a"), "", ""}, "A33 a form over the limit": {"grant_type=" + times(70000, "a"), "", ""},
	}
}

func TestHostileTokenRequestsAreRefused(t *testing.T) {
	h := newTrial(t)
	id, secret := h.o.key.Key.ClientID, h.o.key.Secret
	for _, path := range []string{"/oauth/token", "/aerospike/oauth/token"} {
		s := surface{name: surfaceOf(path)}
		for name, form := range grants(id, secret, missing()["clientId"]) {
			header := []string{"Content-Type", api.MediaForm}
			if form[1] != "" {
				header = append(header, "Authorization", form[1])
			}
			got := h.ask(t, "POST", path+form[2], form[0], header...)
			h.judge(name+" at "+path, s, got, 0, "")
			if got.status < 400 || strings.Contains(got.body, "access_token") || strings.Contains(got.body, secret) {
				t.Errorf("%s at %s: %d %s", name, path, got.status, got.body)
			}
		}
		for _, b := range bodies {
			got := h.ask(t, "POST", path, b.text)
			h.judge(b.abuse+" "+path+" "+b.text, s, got, 0, "")
			if got.status < 400 {
				t.Errorf("%s at %s: %d %s", b.text, path, got.status, got.body)
			}
		}
	}
	h.unwritten("grants")
	h.end(100)
}

// holdings are requests to end something, or to be told what it is worth, that name
// nothing, or name it in an odd way. None ends anything.
func holdings(secret string) map[string]string {
	return map[string]string{
		"no token": "", "an empty token": "token=", "another name": "key=" + secret, "another case": "Token=" + secret,
		"a token twice": "token=" + secret + "&token=" + secret, "a hint twice": "token=" + secret + "&token_type_hint=a&token_type_hint=b",
		"a space before": "token=%20" + secret, "a line after": "token=" + secret + "%0a", "a NUL": "token=" + secret + "%00", "no pair": secret,
		"a broken escape": "token=%zz", "bytes that are no text": "token=%ff%fe", "half of it": "token=" + secret[:len(secret)/2],
		"upper case": "token=" + strings.ToUpper(secret), "a long token": "token=" + times(60000, "a"), "many dots": "token=eyJ" + times(20000, "."),
		"a wrong client": "token=" + secret + "&client_id=x", "a client without an id": "token=" + secret + "&client_secret=" + secret,
		"a client twice": "token=" + secret + "&client_id=x&client_id=y", "JSON": `{"token":"` + secret + `"}`, "over the limit": "token=" + times(70000, "a"),
		"SQL": "token=' OR '1'='1", "a star": "token=*", "everything": "token=%25", "semicolons": "a=b;token=" + secret,
	}
}

func TestHostileRevocationsEndNothing(t *testing.T) {
	h := newTrial(t)
	s := surface{name: "oauth"}
	for name, form := range holdings(h.o.key.Secret) {
		got := h.ask(t, "POST", "/oauth/revoke", form, "Content-Type", api.MediaForm)
		h.judge(name+" at revoke", s, got, 0, "")
		if got.header.Get("Keyward-Propagation") != "" {
			t.Errorf("%s: %d, and something ended", name, got.status)
		}
		if strings.Contains(form, "client_") {
			continue // which introspection does not look at
		}
		got = h.as(t, h.who.operator, "POST", "/oauth/introspect", form, "Content-Type", api.MediaForm)
		h.judge(name+" at introspect", s, got, 0, "")
		if strings.Contains(got.body, "true") {
			t.Errorf("%s is worth something: %s", name, got.body)
		}
	}
	h.unwritten("revocations")
	h.end(40)
}
