package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"keyward/keywardtest"
)

// Some requests look hostile and are not: they are written, and read back exactly.
func TestOddButLegalTextIsKeptAsItIs(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	o := w.tenant(t, "alpha")
	for name, members := range map[string]string{
		"A21 markup":                   `"name":"<script>alert(1)</script>"`,
		"A21 a template":               `"name":"{{7*7}}${7*7}"`,
		"A21 a formula":                `"name":"=cmd()|' /C calc'!A0"`,
		"A21 a path":                   `"name":"../../x"`,
		"A21 255 characters":           `"name":"` + times(255, "😀") + `"`,
		"A8 wildcards":                 `"name":"%_\\*'\"` + "`" + `"`,
		"A11 SQL":                      `"name":"'; DROP TABLE keys; --"`,
		"A24 __proto__":                `"name":"__proto__","metadata":{"__proto__":{"a":1},"constructor":"x","toString":null}`,
		"A26 a large integer":          `"name":"x","metadata":{"n":9007199254740993,"z":-0,"f":1.10}`,
		"A26 ten deep":                 `"name":"x","metadata":` + times(10, `{"a":`) + `1` + times(10, `}`),
		"A65 everywhere":               `"name":"x","allowedIps":["0.0.0.0/0","::/0"]`,
		"A91 an empty grant":           `"name":"x","acl":[{"scope":{},"permissions":[]}]`,
		"A91 a dimension with nothing": `"name":"x","acl":[{"scope":{"region":[]},"permissions":["a"]}]`,
	} {
		made := w.must(t, "POST", o.path()+"/api-keys", "{"+members+"}")
		got := w.as(t, w.RootToken, "GET", o.path()+"/api-keys/"+made.Key.ID, "").body
		var sent, kept map[string]json.RawMessage
		if err := json.Unmarshal([]byte("{"+members+"}"), &sent); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := json.Unmarshal([]byte(got), &kept); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for member, want := range sent {
			if plainJSON(t, kept[member]) != plainJSON(t, want) {
				t.Errorf("%s: %s = %s, want %s", name, member, kept[member], want)
			}
		}
	}
}

// plainJSON writes text without escapes and numbers as they are.
func plainJSON(t *testing.T, text json.RawMessage) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Without trusted proxies no header says who the client is; with them the rightmost
// address that is not one of theirs does, and what is malformed is nobody.
func TestForwardedAddressesAreBelievedOnlyFromProxies(t *testing.T) {
	for name, test := range map[string]struct {
		proxies string
		header  []string
		want    int // for a key that is good from 203.0.113.7 alone
	}{
		"A61 X-Forwarded-For":               {"", []string{"X-Forwarded-For", "203.0.113.7"}, 403},
		"A61 X-Real-Ip":                     {"127.0.0.1", []string{"X-Real-Ip", "203.0.113.7"}, 403},
		"A61 Forwarded":                     {"127.0.0.1", []string{"Forwarded", "for=203.0.113.7"}, 403},
		"A61 True-Client-Ip":                {"127.0.0.1", []string{"True-Client-Ip", "203.0.113.7", "Cf-Connecting-Ip", "203.0.113.7"}, 403},
		"A62 the client":                    {"127.0.0.1", []string{"X-Forwarded-For", "203.0.113.7"}, 200},
		"A62 a lie before the client":       {"127.0.0.1", []string{"X-Forwarded-For", "203.0.113.7, 198.51.100.1"}, 403},
		"A62 a lie in a header before":      {"127.0.0.1", []string{"X-Forwarded-For", "203.0.113.7", "X-Forwarded-For", "198.51.100.1"}, 403},
		"A62 a proxy behind the client":     {"127.0.0.1,10.0.0.0/8", []string{"X-Forwarded-For", "203.0.113.7, 10.1.2.3"}, 200},
		"A62 a stranger behind the client":  {"127.0.0.1,10.0.0.0/8", []string{"X-Forwarded-For", "203.0.113.7, 11.1.2.3"}, 403},
		"A62 an empty element":              {"127.0.0.1", []string{"X-Forwarded-For", "203.0.113.7,"}, 403},
		"A62 unknown":                       {"127.0.0.1", []string{"X-Forwarded-For", "203.0.113.7, unknown"}, 403},
		"A62 a port":                        {"127.0.0.1", []string{"X-Forwarded-For", "203.0.113.7:80"}, 403},
		"A62 quotes":                        {"127.0.0.1", []string{"X-Forwarded-For", `"203.0.113.7"`}, 403},
		"A62 an underscore":                 {"127.0.0.1", []string{"X_Forwarded_For", "203.0.113.7"}, 403},
		"A62 a thousand proxies":            {"127.0.0.1", []string{"X-Forwarded-For", "203.0.113.7" + times(1000, ", 127.0.0.1")}, 403},
		"A63 a hop header":                  {"127.0.0.1", []string{"X-Forwarded-For", "203.0.113.7, 198.51.100.1", "Connection", "X-Forwarded-For"}, 403},
		"A64 a mapped address":              {"127.0.0.1", []string{"X-Forwarded-For", "::ffff:203.0.113.7"}, 200},
		"A66 NAT64 is not its IPv4":         {"127.0.0.1", []string{"X-Forwarded-For", "64:ff9b::cb00:7107"}, 403},
		"A66 6to4 is not its IPv4":          {"127.0.0.1", []string{"X-Forwarded-For", "2002:cb00:7107::"}, 403},
		"A65 leading zeros are not decimal": {"127.0.0.1", []string{"X-Forwarded-For", "0203.0.113.7"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, keywardtest.Options{TrustedProxies: test.proxies})
			o := w.tenant(t, "alpha")
			key := w.key(t, o, `"management":[{"scope":{},"permissions":["keys.read"]}]`)
			token := w.token(t, "/oauth/token", key)
			w.must(t, "PATCH", o.path()+"/api-keys/"+key.Key.ID, `{"allowedIps":["203.0.113.7"]}`)
			target := o.path() + "/api-keys"
			if got := w.as(t, token, "GET", target, "", test.header...); got.status != test.want {
				t.Errorf("a token: %d %s, want %d", got.status, got.body, test.want)
			}
			target = "/gjirafa/api/organizations/" + o.org.ID + "/api-keys"
			if got := w.ask(t, "GET", target, "", append(xAPIKey(key.Secret), test.header...)...); got.status != test.want {
				t.Errorf("the key itself: %d %s, want %d", got.status, got.body, test.want)
			}
		})
	}
}

// An answer is repeated for the same request, and for no other.
func TestAnIdempotencyKeyIsForOneRequest(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	o := w.tenant(t, "alpha")
	keys := o.path() + "/api-keys"
	owner := w.operator(t, o, "owner").Secret
	send := func(who, path, body string) answer {
		return w.as(t, who, "POST", path, body, "Idempotency-Key", sharedOnce)
	}
	first := w.succeed(t, send(owner, keys, `{"name":"x"}`), "the first")
	if again := send(owner, keys, `{"name":"x"}`); w.succeed(t, again, "again").Secret != first.Secret || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("A82 again: %d %s", again.status, again.body)
	}
	if other := send(owner, keys, `{"name":"y"}`); other.status != 422 {
		t.Errorf("A82 another body: %d %s, want 422", other.status, other.body)
	}
	if other := w.succeed(t, send(w.RootToken, keys, `{"name":"x"}`), "another principal"); other.Secret == first.Secret {
		t.Error("A82 another principal has got the same secret")
	}
	if other := send(owner, o.path()+"/projects", `{"name":"x"}`); other.status != 201 || other.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("A82 another route: %d %s", other.status, other.body)
	}
}

// Of two who update what both have read, one wins and the other is told.
func TestOneOfTwoUpdatesOfTheSameRevisionWins(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	o := w.tenant(t, "alpha")
	key := o.path() + "/api-keys/" + o.key.Key.ID
	for round := range 20 {
		etag := w.as(t, w.RootToken, "GET", key, "").header.Get("Etag")
		statuses := make([]int, 2)
		var group sync.WaitGroup
		for i := range statuses {
			group.Go(func() {
				body := fmt.Sprintf(`{"name":"round %d of %d"}`, round, i)
				statuses[i] = w.as(t, w.RootToken, "PATCH", key, body, "If-Match", etag).status
			})
		}
		group.Wait()
		if statuses[0]+statuses[1] != 200+412 {
			t.Fatalf("A46: statuses = %d, want 200 and 412", statuses)
		}
	}
}

// What has ended has ended, however it is asked for.
func TestEndedThingsStayEnded(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	o := w.tenant(t, "alpha")
	keys := o.path() + "/api-keys"
	revoked, deleted := w.key(t, o, ""), w.key(t, o, "")
	w.must(t, "POST", keys+"/"+revoked.Key.ID+"/revoke", "")
	w.must(t, "DELETE", keys+"/"+deleted.Key.ID, "")
	head := w.head(t)
	for name, test := range map[string]struct {
		method, path, body string
		want               int
	}{
		"A90 rotate a revoked key":      {"POST", "/" + revoked.Key.ID + "/rotate", "", 409},
		"A83 enable a revoked key":      {"PATCH", "/" + revoked.Key.ID, `{"enabled":true}`, 409},
		"A83 revoke a revoked key":      {"POST", "/" + revoked.Key.ID + "/revoke", "", 200},
		"A83 rename a revoked key":      {"PATCH", "/" + revoked.Key.ID, `{"name":"x"}`, 409},
		"A83 read a deleted key":        {"GET", "/" + deleted.Key.ID, "", 404},
		"A83 rotate a deleted key":      {"POST", "/" + deleted.Key.ID + "/rotate", "", 404},
		"A83 revoke a deleted key":      {"POST", "/" + deleted.Key.ID + "/revoke", "", 404},
		"A83 delete a deleted key":      {"DELETE", "/" + deleted.Key.ID, "", 404},
		"A83 reveal a deleted key":      {"POST", "/" + deleted.Key.ID + "/reveal", "", 404},
		"A90 an overlap of ten years":   {"POST", "/" + o.key.Key.ID + "/rotate", `{"overlap":"87600h"}`, 400},
		"A90 an overlap into the past":  {"POST", "/" + o.key.Key.ID + "/rotate", `{"overlap":"-1s"}`, 400},
		"A90 an overlap without a unit": {"POST", "/" + o.key.Key.ID + "/rotate", `{"overlap":"1"}`, 400},
		"A90 an overlap as a number":    {"POST", "/" + o.key.Key.ID + "/rotate", `{"overlap":1}`, 400},
		"A90 an endless overlap":        {"POST", "/" + o.key.Key.ID + "/rotate", `{"overlap":"99999999999999999999h"}`, 400},
		"A90 null for an overlap":       {"POST", "/" + o.key.Key.ID + "/rotate", `{"overlap":null}`, 400},
	} {
		if got := w.as(t, w.RootToken, test.method, keys+test.path, test.body); got.status != test.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, test.want)
		}
	}
	if w.head(t) != head {
		t.Error("something was written")
	}
	for name, secret := range map[string]string{"not_found": deleted.Secret, "revoked": revoked.Secret} {
		if got := w.as(t, w.RootToken, "POST", "/v1/verify", fmt.Sprintf(`{"key":%q}`, secret)); !strings.Contains(got.body, `"code":"`+name+`"`) {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}
