package api_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
)

func TestMergePatchDoesWhatTheStandardTabulates(t *testing.T) {
	for _, test := range []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"a":"foo"}`, `{"a":{"b":1,"c":null}}`, `{"a":{"b":1}}`},
		{`{"a":1}`, `{"a":[null,{"b":null}]}`, `{"a":[null,{"b":null}]}`},
		{`{}`, `{}`, `{}`},
	} {
		got, err := api.MergePatch([]byte(test.target), []byte(test.patch))
		if err != nil || string(got) != test.want {
			t.Errorf("MergePatch(%s, %s) = %s, %v, want %s", test.target, test.patch, got, err, test.want)
		}
	}
}

func TestMergePatchKeepsWhatItDoesNotTouch(t *testing.T) {
	const target = `{"big":9007199254740993,"exact":1.10,"text":"<\u00e9>","a<b\n":{"x": [1 ,2]}}`
	got, err := api.MergePatch([]byte(target), []byte(`{"huge":1e999,"text2":"\u00e9"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`:9007199254740993,`, `:1.10,`, `:"<\u00e9>",`, `:{"x": [1 ,2]}`, `:1e999,`, `:"\u00e9"}`} {
		if !strings.Contains(string(got), part) {
			t.Errorf("MergePatch = %s, lacks %s", got, part)
		}
	}
	var before, after map[string]json.RawMessage
	if err := json.Unmarshal([]byte(target), &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &after); err != nil {
		t.Fatal(err)
	}
	for name := range before {
		if !reflect.DeepEqual(before[name], after[name]) {
			t.Errorf("member %q was %s, is %s", name, before[name], after[name])
		}
	}
}

func TestMergePatchRefusesPatchesThatAreNoObject(t *testing.T) {
	for _, patch := range []string{``, `null`, `[]`, `"x"`, `{`, `{"a":1,"a":2}`, `{"a":"\u0000"}`} {
		if _, err := api.MergePatch([]byte(`{}`), []byte(patch)); keyward.CodeOf(err) != keyward.Invalid {
			t.Errorf("MergePatch of %q = %v, want %s", patch, err, keyward.Invalid)
		}
	}
	if _, err := api.MergePatch([]byte(`{`), []byte(`{}`)); keyward.CodeOf(err) != keyward.Internal {
		t.Errorf("a broken target = %v, want %s", err, keyward.Internal)
	}
}

func TestDecodePatchReadsTheResult(t *testing.T) {
	var got document
	target := []byte(`{"name":"a","enabled":true,"labels":{"x":"1","y":"2"}}`)
	err := api.DecodePatch(target, []byte(`{"name":"b","enabled":null,"labels":{"x":null}}`), &got)
	want := document{Name: "b", Labels: map[string]string{"y": "2"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("DecodePatch = %+v, %v, want %+v", got, err, want)
	}
	for patch, pointer := range map[string]string{
		`{"nope":null}`:          "/nope",
		`{"Enabled":null}`:       "/Enabled",
		`{"part":{"nope":null}}`: "/part/nope",
		`{"name":1}`:             "/name",
	} {
		fields := keyward.FieldsOf(api.DecodePatch(target, []byte(patch), new(document)))
		if len(fields) != 1 || fields[0].Pointer != pointer {
			t.Errorf("DecodePatch of %s = %v, want a fault at %s", patch, fields, pointer)
		}
	}
}
