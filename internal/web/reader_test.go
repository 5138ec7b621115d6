package web_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"keyward/keywardtest"
)

// shadow is where the component shows a document.
const shadow = `document.querySelector("rapi-doc").shadowRoot`

// TestBrowser has one browser for all that needs one: starting it is most of the time.
func TestBrowser(t *testing.T) {
	kw := keywardtest.New(t)
	b := openBrowser(t)
	names := indexed(t, b, kw)
	for _, name := range names {
		t.Run("the reader shows every operation of "+name, func(t *testing.T) { b.on(t).showsAll(kw, name) })
	}
	t.Run("an operation can be tried, and the credential is kept nowhere", func(t *testing.T) { b.on(t).tries(kw) })
	t.Run("the pages are in the colours of the system", func(t *testing.T) { b.on(t).followsColours(kw) })
}

// indexed returns the names of the APIs that the index leads to.
func indexed(t *testing.T, b *browser, kw *keywardtest.Server) []string {
	b.open(kw.URL + "/docs/api/")
	var links []string
	b.run(`[...document.querySelectorAll("h2 a")].map(a => a.href)`, &links)
	var names []string
	for _, link := range links {
		name, ours := strings.CutPrefix(link, kw.URL+"/docs/api/")
		if !ours || !strings.HasSuffix(name, "/") {
			t.Errorf("the index leads to %s", link)
		}
		names = append(names, strings.TrimSuffix(name, "/"))
	}
	if !slices.Contains(names, "native") {
		t.Errorf("the index names %q", names)
	}
	b.unharmed(kw)
	return names
}

// unharmed reports what a page has asked of others, and what it complained of.
func (b *browser) unharmed(kw *keywardtest.Server) {
	b.t.Helper()
	if len(b.asked) == 0 {
		b.t.Error("the page asked for nothing, not even itself")
	}
	for _, url := range b.asked {
		if !strings.HasPrefix(url, kw.URL+"/") {
			b.t.Errorf("the page asked for %s", url)
		}
	}
	for _, problem := range b.problems {
		b.t.Errorf("the page complains: %s", problem)
	}
}

// read opens the reader of an API and waits until it shows something.
func (b *browser) read(kw *keywardtest.Server, name string) {
	b.t.Helper()
	b.open(kw.URL + "/docs/api/" + name + "/")
	b.await(shadow + `.querySelector("[part~=section-operation]")`)
}

func (b *browser) showsAll(kw *keywardtest.Server, name string) {
	b.read(kw, name)
	var shown []string
	b.run(`[...`+shadow+`.querySelectorAll("[part~=section-operation]")].map(e => e.id)`, &shown)
	want := operationsOf(b.t, kw, name)
	slices.Sort(shown)
	if !slices.Equal(shown, want) {
		b.t.Errorf("the reader shows\n%q, the document has\n%q", shown, want)
	}
	b.picture(name)
	b.run(shadow+`.getElementById("`+want[len(want)-1]+`").scrollIntoView()`, nil)
	b.picture(name + "-operation")
	b.unharmed(kw)
}

// operationsOf returns the operations of the document that is served, sorted, as the
// component names them.
func operationsOf(t *testing.T, kw *keywardtest.Server, name string) []string {
	t.Helper()
	response, err := http.Get(kw.URL + "/openapi/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	var operations []string
	for path, item := range document.Paths {
		for method := range item {
			if slices.Contains([]string{"get", "put", "post", "delete", "patch"}, method) {
				operations = append(operations, method+"-"+strings.NewReplacer("{", "-", "}", "-").Replace(path))
			}
		}
	}
	if len(operations) == 0 {
		t.Fatalf("the document %s has no operation", name)
	}
	slices.Sort(operations)
	return operations
}

func (b *browser) tries(kw *keywardtest.Server) {
	b.read(kw, "native")
	b.run(fmt.Sprintf(`(() => {
		const scheme = %s.getElementById("security-scheme-operator");
		scheme.querySelector("input").value = %q;
		scheme.querySelector("button").click();
	})()`, shadow, kw.RootToken), nil)
	const request = shadow + `.getElementById("get-/v1/organizations").querySelector("api-request").shadowRoot`
	b.await(request + `.querySelector("[part~=btn-try]")`)
	b.run(request+`.querySelector("[part~=btn-try]").click()`, nil)
	b.await(request + `.querySelector(".response-message")`)
	var told string
	b.run(request+`.querySelector(".response-message").textContent`, &told)
	if !strings.Contains(told, "200") {
		b.t.Errorf("the server's answer is shown as %q", told)
	}
	if last := b.asked[len(b.asked)-1]; !strings.HasPrefix(last, kw.URL+"/v1/organizations") {
		b.t.Errorf("the request went to %s", last)
	}
	b.run(request+`.querySelector("[part~=btn-try]").scrollIntoView()`, nil)
	b.picture("native-tried")
	var kept string
	b.run(`JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])`, &kept)
	if want := fmt.Sprintf(`[{},{},"","%s/docs/api/native/`, kw.URL); !strings.HasPrefix(kept, want) || strings.Contains(kept, kw.RootToken) {
		b.t.Errorf("the page keeps %s", kept)
	}
	b.unharmed(kw)
}

func (b *browser) followsColours(kw *keywardtest.Server) {
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		b.read(kw, "aerospike")
		var theme string
		b.run(`document.querySelector("rapi-doc").getAttribute("theme")`, &theme)
		if theme != scheme {
			b.t.Errorf("to who prefers %s the reader is %s", scheme, theme)
		}
		b.picture("reader-" + scheme)
		b.open(kw.URL + "/docs/api/")
		b.picture("index-" + scheme)
		b.unharmed(kw)
	}
}
