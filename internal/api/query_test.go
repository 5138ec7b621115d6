package api_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
)

func TestParseQuery(t *testing.T) {
	for name, test := range map[string]struct {
		raw     string
		want    string // of parameter a
		pointer string // of the first fault; "-" is none
	}{
		"a pair":                     {"a=1", "1", "-"},
		"nothing":                    {"", "", "-"},
		"an empty value":             {"a=", "", "-"},
		"a semicolon is data":        {"a=1;b=2", "1;b=2", "-"},
		"a second equals is data":    {"a=b=c", "b=c", "-"},
		"plus is a space":            {"a=b+c%2B", "b c+", "-"},
		"escapes of UTF-8":           {"%61=%C3%A9", "é", "-"},
		"a repeated parameter":       {"a=1&a=2", "", "/a"},
		"the same value twice":       {"a=1&%61=1", "", "/a"},
		"an unknown parameter":       {"zz=1", "", "/zz"},
		"a structured parameter":     {"a[]=1", "", "/a[]"},
		"a slash in a name":          {"x/y=1", "", "/x~1y"},
		"another case":               {"A=1", "", "/A"},
		"a name alone":               {"a", "", ""},
		"a name as long as a secret": {strings.Repeat("a", 51) + "=1", "", ""},
		"a value alone":              {"=1", "", ""},
		"an empty pair":              {"a=1&", "", ""},
		"a malformed escape":         {"a=%zz", "", "/a"},
		"a cut escape":               {"a=%4", "", "/a"},
		"a malformed escape in name": {"%zz=1", "", ""},
		"bytes that are not UTF-8":   {"a=%ff", "", "/a"},
		"over-long UTF-8":            {"a=%c0%af", "", "/a"},
		"NUL":                        {"a=%00", "", "/a"},
		"CR and LF":                  {"a=%0d%0a", "", "/a"},
		"DEL":                        {"a=%7f", "", "/a"},
		"a control character raw":    {"a=\x01", "", "/a"},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := api.ParseQuery(test.raw, "a", "b")
			if test.pointer != "-" {
				fields := keyward.FieldsOf(err)
				if len(fields) != 1 || fields[0].Pointer != test.pointer {
					t.Errorf("ParseQuery(%q) = %v, want a fault at %q", test.raw, err, test.pointer)
				}
				return
			}
			if err != nil || q.Text("a") != test.want || q.Has("a") != (test.raw != "") {
				t.Errorf("ParseQuery(%q) = %q, %v, want %q", test.raw, q.Text("a"), err, test.want)
			}
		})
	}
}

func TestParseQueryNamesEverythingThatIsWrong(t *testing.T) {
	_, err := api.ParseQuery("x=1&y=2&a=%00", "a")
	if got := len(keyward.FieldsOf(err)); got != 3 {
		t.Errorf("%d faults in %v, want 3", got, err)
	}
}

func TestQueryNumbersAreDecimalDigits(t *testing.T) {
	for raw, want := range map[string]int{
		"": 100, "n=1": 1, "n=1000": 1000, "n=007": 7,
		"n=": -1, "n=0": -1, "n=1001": -1, "n=-1": -1, "n=%2B5": -1, "n=+5": -1, "n=1e3": -1, "n=5.0": -1, "n=0x10": -1,
		"n=1_000": -1, "n=9223372036854775808": -1, "n=NaN": -1, "n=%EF%BC%95": -1,
	} {
		q, err := api.ParseQuery(raw, "n")
		if err != nil {
			t.Fatal(err)
		}
		got, err := q.Int("n", 100, 1, 1000)
		if want < 0 {
			if fields := keyward.FieldsOf(err); len(fields) != 1 || fields[0].Pointer != "/n" {
				t.Errorf("Int of %q = %d, %v, want a fault at /n", raw, got, err)
			}
		} else if err != nil || got != want {
			t.Errorf("Int of %q = %d, %v, want %d", raw, got, err, want)
		}
	}
}

func TestQueryBools(t *testing.T) {
	q, err := api.ParseQuery("yes=true&no=false&odd=1", "yes", "no", "odd")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"yes": true, "no": false, "absent": false} {
		if got, err := q.Bool(name); got != want || err != nil {
			t.Errorf("Bool(%s) = %t, %v, want %t", name, got, err, want)
		}
	}
	if _, err := q.Bool("odd"); keyward.CodeOf(err) != keyward.Invalid {
		t.Errorf("Bool of 1 = %v, want %s", err, keyward.Invalid)
	}
}

func TestLooseSurfacesIgnoreWhatTheyDoNotKnow(t *testing.T) {
	type body struct{ Name string }
	surface := echo()
	surface.LooseQuery, surface.LooseJSON = true, true
	h := surface.Handler([]api.Route{{Pattern: "POST /", Query: []string{"a"}, Handle: func(_ context.Context, c *api.Call) (api.Answer, error) {
		var in body
		err := c.Decode(&in)
		return api.Answer{Body: []any{c.Query.Text("a"), c.Query.Has("api-version"), in.Name}}, err
	}}})
	if got := ask(h, "POST", "/?a=1&api-version=2", `{"Name":"n","other":{}}`).Body.String(); got != `["1",false,"n"]` {
		t.Errorf("answer = %s", got)
	}
	for name, target := range map[string]string{"repeated": "/?v=1&v=2", "malformed": "/?v=%zz"} {
		if w := ask(h, "POST", target, `{}`); w.Code != 400 {
			t.Errorf("an unknown parameter that is %s = %d, want 400", name, w.Code)
		}
	}
}

func TestFormsIgnoreUnknownAndRefuseRepeatedParameters(t *testing.T) {
	h := echo().Handler([]api.Route{{
		Pattern: "POST /token", Open: true, Media: []string{api.MediaForm, api.MediaJSON},
		Handle: func(_ context.Context, c *api.Call) (api.Answer, error) {
			form, err := c.Form("grant_type")
			return api.Answer{Body: form.Text("grant_type")}, err
		},
	}})
	for body, want := range map[string]int{
		"grant_type=x&other=y": 200, "": 200, "grant_type=x&grant_type=x": 400, "grant_type=%00": 400, "&": 400,
	} {
		if w := ask(h, "POST", "/token", body, "Content-Type", api.MediaForm); w.Code != want {
			t.Errorf("form %q = %d %s, want %d", body, w.Code, w.Body, want)
		}
	}
	if w := ask(h, "POST", "/token", `{}`); w.Code != 415 {
		t.Errorf("JSON read as a form = %d, want 415", w.Code)
	}
}

// FuzzQuery checks that what is accepted means the same to net/url.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "a=1", "a=1&b=%C3%A9", "a=1;b=2", "a=%zz", "a&b", "=", "a=+&a=%2B", "a=%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := api.ParseQuery(raw, "a", "b")
		if err != nil {
			return
		}
		if strings.Contains(raw, ";") {
			raw = strings.ReplaceAll(raw, ";", "%3B") // net/url refuses what is data here
		}
		values, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatalf("net/url refuses %q: %v", raw, err)
		}
		for name, all := range values {
			if len(all) != 1 || all[0] != q.Text(name) {
				t.Errorf("%q: %s = %q, net/url says %q", raw, name, q.Text(name), all)
			}
		}
	})
}
