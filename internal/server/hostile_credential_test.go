package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/api/rebilly"
	"keyward/internal/keyring"
	"keyward/internal/token"
)

// closed returns some routes of a surface that are for those who are somebody.
func (s surface) closed(most int) []asking {
	var all []asking
	for _, route := range s.kinds() {
		if !route.Open && len(all) < most {
			all = append(all, askings(route)[0])
		}
	}
	return all
}

// dialects are the vendors' surfaces.
func dialects() []surface {
	return slices.DeleteFunc(surfaces(), func(s surface) bool { return !slices.Contains([]string{"aerospike", "rebilly", "gjirafa"}, s.name) })
}

func rebillySurface() surface { return surface{"rebilly", rebilly.Routes(), rebillyWays()} }

// What is nearly a credential of a dialect is none there, in whichever header.
func TestHostileCredentialsAreRefusedByDialects(t *testing.T) {
	h := newTrial(t)
	session := h.person(t, nil, keyward.Owner).session
	h.head = h.world.head(t)
	for _, s := range dialects() {
		tokens := map[string]string{"aerospike": h.who.vendor, "rebilly": session, "gjirafa": h.who.token}
		for _, a := range s.closed(200) {
			for _, text := range authorizations(tokens[s.name], keyOfNobody) {
				if strings.TrimSpace(text) != "Bearer "+tokens[s.name] { // white space at the end is not part of it
					h.refuse("A50 "+a.pattern+" "+text, s, h.send(t, a, h.values, []string{"Authorization", text}))
				}
			}
			for name, header := range twisted(h.who.secret, tokens[s.name]) {
				h.refuse("A50 "+a.pattern+" "+name, s, h.send(t, a, h.values, header))
			}
		}
	}
	h.unwritten("credentials")
	h.end(4000)
}

// twisted are headers with a good key, or a good token, that are no credentials.
func twisted(key, token string) map[string][]string {
	all := map[string][]string{
		"a cookie":                  {"Cookie", "REB-APIKEY=" + key + "; x-api-key=" + key + "; token=" + token},
		"two tokens":                {"Authorization", "Bearer " + token, "Authorization", "Bearer " + token},
		"an empty header and a key": {"Authorization", "", "X-Api-Key", key, "Reb-Apikey", key},
		"no token and a key":        {"Authorization", "Bearer", "X-Api-Key", key, "Reb-Apikey", key},
		"Basic and a key":           {"Authorization", "Basic eDp5", "X-Api-Key", key, "Reb-Apikey", key},
		"two keys":                  {"X-Api-Key", key, "X-Api-Key", key, "Reb-Apikey", key, "Reb-Apikey", key},
		"a good key and a bad one":  {"X-Api-Key", key, "X-Api-Key", keyOfNobody, "Reb-Apikey", key, "Reb-Apikey", keyOfNobody},
		"other headers":             {"Apikey", key, "X-Auth-Token", token, "Proxy-Authorization", "Bearer " + token, "Access-Token", token, "X-Rebilly-Apikey", key},
	}
	for _, text := range []string{
		"", " ", "Bearer " + key, "ApiKey " + key, key + " " + key, key + "," + key, key + ", " + key, `"` + key + `"`, "'" + key + "'", key + "%0a", key + "\t" + key, strings.ToUpper(key),
		strings.ToLower(key), key[:len(key)-1], key + "0", "kw" + key, times(8192, "a"), times(20000, "k"), key + times(8192, "a"), "null", "*", "' OR '1'='1", "sch\u00fcssel", "%00", token + " ",
	} {
		name := fmt.Sprintf("the key %.60q", text)
		all[name] = []string{"X-Api-Key", text, "Reb-Apikey", text}
	}
	for _, text := range []string{"ApiKey", "ApiKey ", "ApiKey  " + key, "ApiKey\t" + key, "ApiKey " + key + "," + key, "Key " + key, "Bearer " + key + " " + key, key + " x", "ApiKey=" + key, "apikey:" + key} {
		all["Authorization "+text] = []string{"Authorization", text}
	}
	return all
}

// A key that goes on in the next line, or holds what no header may, is none.
func TestAKeyOverTwoLinesIsRefused(t *testing.T) {
	h := newTrial(t)
	for name, header := range map[string]string{
		"REB-APIKEY in two lines": "REB-APIKEY: " + h.who.secret[:20] + "\r\n " + h.who.secret[20:],
		"x-api-key and a CR":      "X-Api-Key: " + h.who.secret + "\rx", "REB-APIKEY and a NUL": "REB-APIKEY: " + h.who.secret + "\x00",
	} {
		request := "GET /rebilly/api-keys HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + header + "\r\n\r\n"
		answers, _ := h.raw(t, request, patience)
		if len(answers) != 1 || answers[0].status != 400 && answers[0].status != 401 {
			t.Errorf("%s: %v", name, answers)
		}
	}
}

// The legacy header names an organization of one's own, once, or there is none.
func TestHostileOrganizationHeaders(t *testing.T) {
	h := newTrial(t)
	foreign := h.tenant(t, "bravo").org
	h.head = h.world.head(t)
	s := rebillySurface()
	own := h.o.org.ID
	for name, test := range map[string]struct {
		header []string
		want   int
	}{
		"one's own": {[]string{own}, 200}, "another's": {[]string{foreign.ID}, 404}, "another's public id": {[]string{foreign.PublicID}, 404},
		"one's own twice": {[]string{own, own}, 400}, "one's own and another's": {[]string{own, foreign.ID}, 400}, "two in one": {[]string{own + "," + foreign.ID}, 404},
		"a slash": {[]string{own + "/api-keys"}, 404}, "dots": {[]string{"../" + own}, 404}, "much": {[]string{times(8000, "a")}, 404}, "quotes": {[]string{`"` + own + `"`}, 404},
		"SQL": {[]string{"' OR '1'='1"}, 404}, "upper case": {[]string{strings.ToUpper(own)}, 404}, "51 characters": {[]string{times(51, "a")}, 404}, "Unicode": {[]string{"\u00f6rg"}, 404},
	} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
			path, body := "/rebilly/api-keys", ""
			if method == "PUT" || method == "DELETE" {
				path += "/" + h.o.key.Key.ID
			}
			if method == "PUT" || method == "POST" {
				body = `{"description":"x","acl":[]}`
			}
			if test.want < 300 && method != "GET" {
				continue
			}
			header := rebAPIKey(h.who.secret)
			for _, value := range test.header {
				header = append(header, "Organization-Id", value)
			}
			got := h.ask(t, method, path, body, header...)
			h.judge(name, s, got, 0, "")
			if got.status != test.want {
				t.Errorf("%s: %s %s: %d %s, want %d", name, method, path, got.status, got.body, test.want)
			}
			h.unwritten(name)
		}
	}
}

// A token that we have signed ourselves is no better than a forged one if it has
// expired, or is for another audience, issuer, key, version or organization.
func TestOurOwnTokensThatAreNotGoodAreRefused(t *testing.T) {
	h := newTrial(t)
	other := h.tenant(t, "bravo")
	someone := h.person(t, h.o, keyward.Owner)
	h.head = h.world.head(t)
	now := keyward.TimeOf(time.Now())
	key := token.Claims{Subject: h.who.clientID, OrganizationID: h.o.org.ID, Version: 1, ID: "tok_1", IssuedTime: now, ExpireTime: now.Add(time.Hour)}
	with := func(change func(*token.Claims)) token.Claims {
		claims := key
		change(&claims)
		return claims
	}
	human := func(c *token.Claims) { c.Subject, c.Version = someone.made.Operator.ID, 99 }
	for name, test := range map[string]struct {
		issuer string
		claims token.Claims
	}{
		"expired":                     {"keyward", with(func(c *token.Claims) { c.IssuedTime, c.ExpireTime = now.Add(-2*time.Hour), now.Add(-time.Second) })},
		"of another issuer":           {"https://keys.example.com", key},
		"of another version":          {"keyward", with(func(c *token.Claims) { c.Version = 2 })},
		"of another organization":     {"keyward", with(func(c *token.Claims) { c.OrganizationID = other.org.ID })},
		"of nobody":                   {"keyward", with(func(c *token.Claims) { c.Subject = keyward.NewClientID() })},
		"of a key's id":               {"keyward", with(func(c *token.Claims) { c.Subject = h.o.key.Key.ID })},
		"of a person, another time":   {"keyward", with(human)},
		"of a person, somewhere else": {"keyward", with(func(c *token.Claims) { human(c); c.Version, c.OrganizationID = 1, other.org.ID })},
		"of a person, everywhere":     {"keyward", with(func(c *token.Claims) { human(c); c.Version, c.OrganizationID = 1, "" })},
	} {
		for _, s := range append(dialects(), surfaces()[0]) {
			for _, audience := range []string{"keyward", "aerospike", "rebilly", "gjirafa", "native", "*", "Keyward"} {
				test.claims.Audience = audience
				text := h.sign(test.issuer, test.claims)
				for _, a := range s.closed(4) {
					got := h.send(t, a, h.values, bearer(text))
					h.refuse(name+" for "+audience+" at "+a.pattern, s, got)
					if told := strings.Contains(got.body, "expired"); told != (name == "expired" && s.name == "aerospike" && audience == "aerospike") && s.name == "aerospike" {
						t.Errorf("%s for %s at %s: %s", name, audience, a.pattern, got.body)
					}
				}
			}
		}
	}
	h.unwritten("tokens")
	good := h.sign("keyward", with(func(c *token.Claims) { c.Audience = "keyward" }))
	if got := h.as(t, good, "GET", "/rebilly/api-keys", ""); got.status != 200 {
		t.Errorf("a good token of the same making: %d %s", got.status, got.body)
	}
}

// sign signs a token as the server would.
func (h *trial) sign(issuer string, claims token.Claims) string {
	h.t.Helper()
	master, err := os.ReadFile(filepath.Join(h.Data, "master.key"))
	if err != nil {
		h.t.Fatal(err)
	}
	ring, err := keyring.Parse(strings.TrimSpace(string(master)))
	if err != nil {
		h.t.Fatal(err)
	}
	signer, err := token.New(ring.TokenKey(), issuer)
	if err != nil {
		h.t.Fatal(err)
	}
	text, err := signer.Issue(claims)
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}
