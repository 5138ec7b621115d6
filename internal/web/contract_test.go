package web_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"keyward/internal/api/aerospike"
	"keyward/internal/api/gjirafa"
	"keyward/internal/api/native"
	"keyward/internal/api/rebilly"
	"keyward/keywardtest"
)

// documents are those of the surfaces, which hold them against their tables.
func documents() map[string]json.RawMessage {
	return map[string]json.RawMessage{
		"native": native.Contract(), "aerospike": aerospike.Contract(),
		"rebilly": rebilly.Contract(), "gjirafa": gjirafa.Contract(),
	}
}

func TestEveryDocumentIsServedAsItIs(t *testing.T) {
	kw := keywardtest.New(t)
	for name, want := range documents() {
		if got := ask(t, "GET", kw.URL+"/openapi/"+name+".json"); got.status != 200 || !bytes.Equal(got.body, want) {
			t.Errorf("the document of %s is not what is served: %d, %d bytes, want %d", name, got.status, len(got.body), len(want))
		}
	}
}

func TestTheIndexLeadsToEveryDocument(t *testing.T) {
	kw := keywardtest.New(t)
	index := string(ask(t, "GET", kw.URL+"/docs/api/").body)
	for name := range documents() {
		for _, link := range []string{`href="` + name + `/"`, `href="../../openapi/` + name + `.json"`} {
			if !strings.Contains(index, link) {
				t.Errorf("the index has no %s", link)
			}
		}
	}
	if links := strings.Count(index, "<h2><a "); links != len(documents()) {
		t.Errorf("the index has %d APIs, the tests know %d", links, len(documents()))
	}
}
