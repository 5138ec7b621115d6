package api_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
)

type part struct {
	Count int8   `json:"count"`
	Size  uint16 `json:"size"`
}

type embedded struct {
	Promoted string `json:"promoted"`
}

// document has a member of every kind.
type document struct {
	embedded
	Name     string            `json:"name"`
	Enabled  bool              `json:"enabled"`
	Number   int64             `json:"number"`
	Ratio    float64           `json:"ratio"`
	Note     *string           `json:"note"`
	IPs      []string          `json:"ips"`
	Part     part              `json:"part"`
	Parts    []part            `json:"parts"`
	Maybe    *part             `json:"maybe"`
	Scope    keyward.Scope     `json:"scope"`
	Labels   map[string]string `json:"labels"`
	Start    keyward.Time      `json:"start"`
	End      *keyward.Time     `json:"end"`
	Overlap  keyward.Duration  `json:"overlap"`
	Metadata json.RawMessage   `json:"metadata"`
	Exact    json.Number       `json:"exact"`
	Any      any               `json:"any"`
	Hidden   string            `json:"-"`
}

// everything is a document in which every member is set.
const everything = ` {"promoted":"p","name":"caf\u00e9 \ud83d\ude00 \"q\"","enabled":true,"number":-9223372036854775808,
 "ratio":1.5e3,"note":"n","ips":["a","b"],"part":{"count":-128,"size":65535},"parts":[{},{"count":1}],"maybe":{"size":1},
 "scope":{"region":["eu"],"Region":[]},"labels":{"__proto__":"x","a/b~c":""},"start":"2026-01-31T09:30:00Z","end":null,
 "overlap":"24h","metadata":{"big": 9007199254740993, "deep":[[1e999]]},"exact":1.10,"any":{"a":[1,null,"x"]}} `

func TestDecodeJSONReadsWhatEncodingJSONReads(t *testing.T) {
	var got, want document
	if err := api.DecodeJSON([]byte(everything), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(everything), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("DecodeJSON = %+v\nwant %+v", got, want)
	}
}

func TestDecodeJSONAcceptsNullWhereItMeansSomething(t *testing.T) {
	note := "old"
	got := document{Note: &note, IPs: []string{"old"}, Start: 1}
	err := api.DecodeJSON([]byte(`{"note":null,"ips":null,"start":null,"end":null,"maybe":null,"metadata":null,"any":null}`), &got)
	if want := (document{Metadata: json.RawMessage("null")}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("DecodeJSON = %+v, %v, want all of it cleared", got, err)
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	deep := strings.Repeat(`[`, 32) + strings.Repeat(`]`, 32)
	for name, test := range map[string]struct {
		text    string
		pointer string
		detail  string // a part of it
	}{
		"nothing":                          {``, "", "empty"},
		"white space":                      {" \n", "", "empty"},
		"null":                             {`null`, "", "must be an object, not null"},
		"an array":                         {`[]`, "", "must be an object, not an array"},
		"a string":                         {`"x"`, "", "must be an object, not a string"},
		"a byte order mark":                {"\uFEFF{}", "", "byte order mark"},
		"bytes that are not UTF-8":         {"{\"name\":\"\xff\"}", "", "not UTF-8"},
		"over-long UTF-8":                  {"{\"name\":\"\xc0\xaf\"}", "", "not UTF-8"},
		"a surrogate in UTF-8":             {"{\"name\":\"\xed\xa0\x80\"}", "", "not UTF-8"},
		"a second value":                   {`{}{}`, "", "expected the end at byte 2"},
		"trailing garbage":                 {`{} x`, "", "at byte 3"},
		"a comment":                        {`{/**/}`, "", "at byte 1"},
		"single quotes":                    {`{'name':1}`, "", "at byte 1"},
		"a trailing comma":                 {`{"name":"x",}`, "", "at byte 12"},
		"a comma too many":                 {`{"ips":[1,,2]}`, "", "at byte 10"},
		"a cut text":                       {`{"name":"x"`, "", "at byte 11"},
		"a cut string":                     {`{"name":"x`, "", "at byte 10"},
		"a raw line feed in a string":      {"{\"name\":\"\n\"}", "", "at byte 9"},
		"a raw NUL":                        {"{\"name\":\"\x00\"}", "", "at byte 9"},
		"an invented escape":               {`{"name":"\x41"}`, "", "an escape at byte 10"},
		"a cut escape":                     {`{"name":"\u00"}`, "", "hexadecimal"},
		"a leading zero":                   {`{"number":01}`, "", "at byte 11"},
		"a leading plus":                   {`{"number":+1}`, "", "at byte 10"},
		"a point without digits":           {`{"ratio":1.}`, "", "a digit at byte 11"},
		"an exponent without digits":       {`{"ratio":1e}`, "", "a digit"},
		"NaN":                              {`{"ratio":NaN}`, "", "a value at byte 9"},
		"nil":                              {`{"note":nil}`, "", "a value at byte 8"},
		"33 levels":                        {`{"any":` + deep + `}`, "", "deeper than 32"},
		"100,000 levels":                   {strings.Repeat(`{"a":`, 100000), "", "deeper than 32"},
		"an unknown member":                {`{"isAdmin":true}`, "/isAdmin", "is not a member here"},
		"an unknown member below":          {`{"parts":[{},{"x":1}]}`, "/parts/1/x", "is not a member here"},
		"a case twin":                      {`{"Enabled":true}`, "/Enabled", `did you mean "enabled"?`},
		"a twin in other letters":          {`{"part":{"ſize":1}}`, "/part/ſize", `did you mean "size"?`},
		"a member that JSON does not have": {`{"Hidden":"x"}`, "/Hidden", "is not a member here"},
		"a name that needs escaping":       {`{"a/b~c":1}`, "/a~1b~0c", "is not a member here"},
		"a member twice":                   {`{"name":"a","name":"b"}`, "/name", "more than once"},
		"a member twice, once escaped":     {`{"name":"a","\u006eame":"b"}`, "/name", "more than once"},
		"a member twice in a map":          {`{"labels":{"a":"1","a":"2"}}`, "/labels/a", "more than once"},
		"a member twice in free form":      {`{"metadata":[{"a":{"b":1,"b":1}}]}`, "/metadata/0/a/b", "more than once"},
		"the last of many twice":           {`{"metadata":{` + many(20) + `,"m19":0}}`, "/metadata/m19", "more than once"},
		"NUL in a string":                  {`{"name":"a\u0000"}`, "/name", "NUL"},
		"NUL in free form":                 {`{"metadata":["\u0000"]}`, "/metadata/0", "NUL"},
		"NUL in a name":                    {`{"labels":{"a\u0000":""}}`, "/labels", "name contains the character NUL"},
		"half a pair":                      {`{"name":"\ud800"}`, "/name", "surrogate"},
		"half a pair before text":          {`{"name":"\ud800x"}`, "/name", "surrogate"},
		"the other half":                   {`{"labels":{"a":"\udc00"}}`, "/labels/a", "surrogate"},
		"two first halves":                 {`{"metadata":"\ud800\ud800\udc00"}`, "/metadata", "surrogate"},
		"a number for a string":            {`{"name":1}`, "/name", "must be a string, not a number"},
		"a string for a number":            {`{"number":"1"}`, "/number", "must be a number, not a string"},
		"a string for an exact number":     {`{"exact":"1"}`, "/exact", "must be a number, not a string"},
		"a string for a boolean":           {`{"enabled":"true"}`, "/enabled", "must be a boolean, not a string"},
		"a number for a boolean":           {`{"enabled":1}`, "/enabled", "must be a boolean, not a number"},
		"an object for an array":           {`{"ips":{}}`, "/ips", "must be an array, not an object"},
		"an array for an object":           {`{"part":[]}`, "/part", "must be an object, not an array"},
		"an array for a map":               {`{"scope":[]}`, "/scope", "must be an object, not an array"},
		"a wrong element":                  {`{"scope":{"region":["eu",1]}}`, "/scope/region/1", "must be a string"},
		"a fraction":                       {`{"number":1.0}`, "/number", "whole number"},
		"an exponent":                      {`{"number":1e3}`, "/number", "whole number"},
		"2^63":                             {`{"number":9223372036854775808}`, "/number", "out of range"},
		"128 in eight bits":                {`{"part":{"count":128}}`, "/part/count", "out of range"},
		"a negative count":                 {`{"part":{"size":-1}}`, "/part/size", "out of range"},
		"1e999":                            {`{"ratio":1e999}`, "/ratio", "out of range"},
		"1e999 in anything":                {`{"any":[1e999]}`, "/any", "out of range"},
		"null for a string":                {`{"name":null}`, "/name", "may not be null"},
		"null for a boolean":               {`{"enabled":null}`, "/enabled", "may not be null"},
		"null for an object":               {`{"part":null}`, "/part", "may not be null"},
		"null for a map":                   {`{"labels":null}`, "/labels", "may not be null"},
		"null for an element":              {`{"ips":["a",null]}`, "/ips/1", "may not be null"},
		"a date that does not exist":       {`{"start":"2026-02-30T00:00:00Z"}`, "/start", "RFC 3339"},
		"a number for a time":              {`{"end":1}`, "/end", "is not a string"},
		"a duration without unit":          {`{"overlap":"5"}`, "/overlap", "is not a duration"},
	} {
		t.Run(name, func(t *testing.T) {
			err := api.DecodeJSON([]byte(test.text), new(document))
			fields := keyward.FieldsOf(err)
			if len(fields) != 1 || fields[0].Pointer != test.pointer || !strings.Contains(fields[0].Detail, test.detail) {
				t.Errorf("DecodeJSON(%.60q) = %.300v, want %q at %q", test.text, err, test.detail, test.pointer)
			}
			if keyward.CodeOf(err) != keyward.Invalid {
				t.Errorf("code = %s, want %s", keyward.CodeOf(err), keyward.Invalid)
			}
		})
	}
}

// many returns n members m0, m1, …
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d":0`, i)
	}
	return b.String()[1:]
}

func TestDecodeJSONNamesEverythingThatIsWrongAtOnce(t *testing.T) {
	err := api.DecodeJSON([]byte(`{"x":1,"name":2,"part":{"y":null},"name":"\u0000","start":"z"}`), new(document))
	var pointers []string
	for _, f := range keyward.FieldsOf(err) {
		pointers = append(pointers, f.Pointer)
	}
	if got, want := len(pointers), 6; got != want {
		t.Errorf("faults at %q, want %d", pointers, want)
	}
	err = api.DecodeJSON([]byte(`{`+many(1000)+`}`), new(document))
	if got := len(keyward.FieldsOf(err)); got != 20 {
		t.Errorf("%d faults for 1000 unknown members, want 20", got)
	}
	err = api.DecodeJSON([]byte(`{"`+strings.Repeat("é", 5000)+`":1}`), new(document))
	if got := len(err.Error()); got > 1000 {
		t.Errorf("the error about a long name is itself %d bytes long", got)
	}
}

func TestDecodeJSONLooseIgnoresUnknownMembersOnly(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"name":"x","other":{"a":[null]}}`: true,
		`{"part":{"z":1}}`:                  true,
		`{"other":1,"Other":2}`:             true,
		`{"other":1,"other":2}`:             false,
		`{"name":"x","Name":"y"}`:           false,
		`{"NAME":"x"}`:                      false,
		`{"other":"\ud800"}`:                false,
		`{"name":1}`:                        false,
	} {
		if err := api.DecodeJSONLoose([]byte(text), new(document)); (err == nil) != ok {
			t.Errorf("DecodeJSONLoose(%s) = %v, want ok %t", text, err, ok)
		}
	}
}

func TestAReaderThatFoldsCaseTakesEachMemberOnceInAnyCase(t *testing.T) {
	reader := api.Reader{IgnoreUnknown: true, FoldCase: true}
	for text, detail := range map[string]string{
		`{"NAME":"x"}`:                             "",
		`{"name":"x","PART":{"Count":1}}`:          "",
		`{"name":"x","other":1,"Other":2}`:         "",
		`{"name":"x","NAME":"y"}`:                  `/NAME is given more than once, as "name" before`,
		`{"Name":"x","name":"y","nAme":"z"}`:       `/name is given more than once, as "Name" before`,
		`{"NAME":"x","NAME":"y"}`:                  `/NAME is given more than once`,
		`{"name":"x","part":{"size":1,"ſize":1}}`:  `/part/ſize is given more than once, as "size" before`,
		`{"name":"x","parts":[{},{"Count":1.5}]}`:  `/parts/1/Count must be a whole number, written without fraction and exponent`,
		`{"name":"x","labels":{"a":"1","A":"2"}}`:  "",
		`{"name":"x","metadata":{"a":1,"A":[{}]}}`: "",
	} {
		var got document
		var said string
		for _, field := range keyward.FieldsOf(reader.Decode([]byte(text), &got)) {
			said = field.Pointer + " " + field.Detail
			break
		}
		if said != detail || detail == "" && got.Name != "x" {
			t.Errorf("%s: name = %q, fault %s, want %s", text, got.Name, said, detail)
		}
	}
	strict := api.Reader{FoldCase: true}
	if err := strict.Decode([]byte(`{"Name":"x","other":1}`), new(document)); keyward.CodeOf(err) != keyward.Invalid {
		t.Errorf("an unknown member beside one in another case: %v, want it refused", err)
	}
}

func TestDecodeJSONDoesNotKeepTheBodyAlive(t *testing.T) {
	body := []byte(`{"name":"x","metadata":{"a":1}}`)
	var got document
	if err := api.DecodeJSON(body, &got); err != nil {
		t.Fatal(err)
	}
	clear(body)
	if got.Name != "x" || string(got.Metadata) != `{"a":1}` {
		t.Errorf("after the body was overwritten: %q, %s", got.Name, got.Metadata)
	}
}

func BenchmarkDecodeJSON(b *testing.B) {
	body := []byte(`{"key":"kw_live_0123456789","permissions":["docs.read"],"scope":{"region":"eu"},"ip":"203.0.113.9"}`)
	type request struct {
		Key         string            `json:"key"`
		Permissions []string          `json:"permissions"`
		Scope       map[string]string `json:"scope"`
		IP          string            `json:"ip"`
	}
	b.Run("strict", func(b *testing.B) {
		var reader api.Reader
		b.ReportAllocs()
		for b.Loop() {
			reader.Decode(body, new(request))
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			json.Unmarshal(body, new(request))
		}
	})
}

// FuzzDecodeJSON checks that what is accepted means the same to encoding/json.
func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(everything))
	for _, seed := range []string{`{}`, `{"a":1,"a":2}`, `{"number":-0}`, `{"ratio":-0.0e-0}`, `{"name":"\ud83d\ude00"}`, `{"any":[{}]}`, `[`, `{"metadata" : { } }`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, want document
		api.DecodeJSONLoose(data, new(document))
		(&api.Reader{IgnoreUnknown: true, FoldCase: true}).Decode(data, new(document))
		if api.DecodeJSON(data, &got) != nil {
			return
		}
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", data, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n%+v\nencoding/json says\n%+v", data, got, want)
		}
	})
}
