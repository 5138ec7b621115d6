package native

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"

	"pgregory.net/rapid"
)

// strictly reads a question as the surface does.
func strictly(body []byte) (asked, bool) {
	var q question
	if api.DecodeJSON(body, &q) != nil {
		return asked{}, false
	}
	request, err := q.read()
	if err != nil {
		return asked{}, false
	}
	return asked{*q.Key, q.Explain, request}.normal(), true
}

// quickly reads the same at a glance.
func quickly(a *Asker, body []byte) (asked, bool) {
	defer func() {
		for i := range a.drafts {
			a.drafts[i].reset()
		}
		a.drafts, a.requests = a.drafts[:0], a.requests[:0]
	}()
	if !a.readOne(string(body)) {
		return asked{}, false
	}
	d := &a.drafts[0]
	request := a.requests[0]
	request.Permissions, request.Scope = append([]string{}, request.Permissions...), maps.Clone(request.Scope)
	return asked{strings.Clone(*d.Key), d.Explain, request}.normal(), true
}

// asked is what a question comes down to.
type asked struct {
	key     string
	explain bool
	request keyward.Request
}

// normal makes nothing and none the same.
func (a asked) normal() asked {
	if len(a.request.Permissions) == 0 {
		a.request.Permissions = nil
	}
	if len(a.request.Scope) == 0 {
		a.request.Scope = nil
	}
	return a
}

// holdsGlance fails if a glance takes what the strict reader does not, or reads it
// otherwise.
func holdsGlance(t interface{ Fatalf(string, ...any) }, a *Asker, body []byte) (taken bool) {
	got, ok := quickly(a, body)
	if !ok {
		return false
	}
	want, valid := strictly(body)
	if !valid || !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: at a glance %+v, strictly %+v %t", body, got, want, valid)
	}
	return true
}

// parts are what bodies are put together from: what is plain, and what is nearly.
var parts = []string{
	"{", "}", "[", "]", ",", ":", " ", "\n", `"key"`, `"ip"`, `"cost"`, `"scope"`, `"permissions"`, `"explain"`, `"dryRun"`, `"environment"`, `"organizationId"`,
	`"x"`, `""`, `"live"`, `"203.0.113.9"`, `"::1"`, `"docs.read"`, `"a*"`, `"é"`, `"\u0061"`, `"\n"`, "\"\x01\"", "\"\xff\"", "null", "true", "false", "0", "1", "-1", "01", "-0", "1.0", "1e3",
	"999999999999999999", "9223372036854775807", "9223372036854775808", `"Key"`, `"kéy"`, "\ufeff", "\x00", "nul", "truex",
}

// member is one that a question may have, with a value that fits or does not.
func anyMember() *rapid.Generator[string] {
	values := map[string][]string{
		"key":            {`"k"`, `""`, `null`, `"é"`, `"a\u0062"`, `1`},
		"organizationId": {`"org_1"`, `""`, `null`},
		"environment":    {`"live"`, `"test"`, `"nowhere"`, `""`},
		"permissions":    {`["docs.read"]`, `[]`, `null`, `["a","b" , "c"]`, `["a*"]`, `[""]`, `["a",]`, `[null]`, `["\u202e"]`},
		"scope":          {`{"region":"eu"}`, `{}`, `null`, `{"a":"b","c":"d"}`, `{"a":"b","a":"d"}`, `{"a":1}`, `{"":""}`},
		"ip":             {`"203.0.113.9"`, `"::ffff:1.2.3.4"`, `null`, `"fe80::1%eth0"`, `"x"`, `""`},
		"cost":           {`1`, `0`, `-1`, `null`, `1.5`, `"1"`, `999999999999999999`, `99999999999999999999`, `-0`},
		"explain":        {`true`, `false`, `null`},
		"dryRun":         {`true`, `false`, `0`},
		"Key":            {`"k"`},
		"more":           {`1`},
	}
	return rapid.Custom(func(t *rapid.T) string {
		name := rapid.SampledFrom([]string{"key", "key", "organizationId", "environment", "permissions", "scope", "ip", "cost", "explain", "dryRun", "Key", "more"}).Draw(t, "name")
		space := rapid.SampledFrom([]string{"", "", " ", "\n\t"})
		return fmt.Sprintf("%s%q%s:%s%s%s", space.Draw(t, "a"), name, space.Draw(t, "b"), space.Draw(t, "c"),
			rapid.SampledFrom(values[name]).Draw(t, "value"), space.Draw(t, "d"))
	})
}

func TestWhatIsReadAtAGlanceIsReadTheSameStrictly(t *testing.T) {
	a := new(Asker)
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		body := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 12).Draw(t, "parts"), "")
		if rapid.IntRange(0, 3).Draw(t, "kind") > 0 {
			members := rapid.SliceOfN(anyMember(), 0, 5).Draw(t, "members")
			body = "{" + strings.Join(append([]string{`"key":"k"`}, members...), ",") + "}"
		}
		if holdsGlance(t, a, []byte(body)) {
			taken++
		}
	})
	if taken == 0 {
		t.Error("nothing was read at a glance")
	}
}

func FuzzGlance(f *testing.F) {
	for _, body := range []string{
		`{"key":"k"}`, ` { "key" : "k" , "permissions" : [ "a" , "b" ] , "scope" : { "a" : "b" } , "ip" : "::1" , "cost" : 2 , "explain" : true , "dryRun" : false } `,
		`{"key":"k","organizationId":"o","environment":"live","permissions":null,"ip":null,"cost":null}`, `{"key":"k","key":"k"}`, `{"key":"\u006b"}`,
	} {
		f.Add([]byte(body))
	}
	a := new(Asker)
	f.Fuzz(func(t *testing.T, body []byte) {
		holdsGlance(t, a, body)
	})
}

func TestPlainQuestionsAreReadAtAGlance(t *testing.T) {
	for body, want := range map[string]bool{
		`{"key":"k"}`: true,
		`{"key":"k","organizationId":"o","environment":"live","permissions":["a.b"],"scope":{"r":"eu"},"ip":"::1","cost":5,"explain":true,"dryRun":true}`: true,
		` { "key" : "k" , "permissions" : [ ] , "scope" : { } , "ip" : null , "cost" : null } `:                                                           true,
		`{"key":"größer","permissions":null}`:       true,
		`{"key":"k","key":"k"}`:                     false,
		`{"key":"k","explain":true,"explain":true}`: false,
		`{"key":"k","scope":{"a":"b","a":"b"}}`:     false,
		`{"key":"\n"}`:                              false,
		`{"key":"k","cost":-1}`:                     false,
		`{"key":"k","cost":1.0}`:                    false,
		`{"key":"k"}x`:                              false,
		`{"key":"k"`:                                false,
		`{"permissions":["a"]}`:                     false,
		`[]`:                                        false,
		"":                                          false,
		`{"key":"k","ip":"fe80::1%a"}`:              false,
		`{"key":"k","permissions":["a*"]}`:          false,
		`{"key":"k","scope":null}`:                  false,
		`{"key":"k","organizationId":""}`:           false,
		`{"key":"k","environment":"moon"}`:          false,
		"\ufeff" + `{"key":"k"}`:                    false,
		`{"key":"k",}`:                              false,
		`{"key":"k","permissions":["` + strings.Repeat("a", 999): false,
	} {
		if got := holdsGlance(t, new(Asker), []byte(body)); got != want {
			t.Errorf("%s: read at a glance: %t, want %t", body, got, want)
		}
	}
}

func TestBatchesAreReadAtAGlance(t *testing.T) {
	many := func(n int) string {
		return `{"requests":[` + strings.TrimSuffix(strings.Repeat(`{"key":"k"},`, n), ",") + `]}`
	}
	for body, want := range map[string]int{
		many(1): 1, many(3): 3, many(1000): 1000, many(1001): 0, many(0): 0,
		`{"requests":[],"requests":[{"key":"k"}]}`: 0, `{"requests":[{"key":"k"}],"requests":[{"key":"k"}]}`: 0,
		`{"requests":[{"key":"k"},]}`: 0, `{"requests":{}}`: 0, `{"requests":[{"key":"k","cost":-1}]}`: 0, `{"more":[{"key":"k"}]}`: 0, `{}`: 0,
		` { "requests" : [ {"key":"a"} , {"key":"b"} ] } `: 2,
	} {
		a := new(Asker)
		got := 0
		if a.readMany(body) {
			got = len(a.requests)
		}
		if got != want {
			t.Errorf("%.80s: %d questions, want %d", body, got, want)
		}
		for i := range got {
			if d := &a.drafts[i]; *d.Key != d.key {
				t.Errorf("%.80s: question %d is about %q, not %q", body, i, *d.Key, d.key)
			}
		}
	}
}
