// Package apitest tests HTTP surfaces by what goes over the wire.
//
// A transcript is a text of cases, each a sentence, requests, and what their answers
// must be:
//
//	# A key verifies as soon as it is made.
//	POST /v1/organizations/{org}/api-keys
//	authorization: Bearer {root}
//	{"name": "ci"}
//
//	code == 201
//	json .key.name == "ci"
//	save secret = .secret
//
//	POST /v1/verify
//	authorization: Bearer {root}
//	{"key": "{secret}"}
//
//	code == 200
//	json .code == "valid"
//
// Checks are about code, "header NAME", "json .path" (.items.0.id; -1 is the last) and
// body, and compare with ==, !=, matches (a regular expression), contains and length;
// "absent .path" and "absent header NAME" want nothing there. "save name = .path"
// keeps a value for {name} in all that follows in the file. In headers, base64(text)
// is encoded. A body without a Content-Type is sent as application/json.
//
// A [Contract] is an OpenAPI document. Its clients hold every exchange against it, in
// transcripts and in tests that are written in Go: whatever the server accepts must
// be valid by the document, and so must be every answer. [HoldsTable] holds the document
// itself against the routes of its surface.
//
// A [World] is a server that is running, and what tests make there by the native API
// before they ask a surface for it.
//
// The package is for tests only. What a surface promises stands in its own tests.
package apitest

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Target is what transcripts are run against.
type Target struct {
	// URL is where the server is, without a slash at the end.
	URL string
	// Mount is what the transcripts' paths begin with and the URL stands for.
	Mount string
	// Handler is served for the length of the test if there is no URL.
	Handler http.Handler
	// Contract is what every exchange is held against. If nil, nothing is.
	Contract *Contract
	// Vars are the variables that each file begins with.
	Vars map[string]string
}

// RunAll runs every transcript of the package that is tested, which lie in testdata,
// each as a subtest with the file's name, without ".http", against the target that it
// gets.
func RunAll(t *testing.T, target func(t *testing.T, name string) Target) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.http")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".http")
		t.Run(name, func(t *testing.T) { target(t, name).Run(t, file) })
	}
}

// Run runs a transcript: each case is a subtest with its sentence as the name. Cases
// run in their order and share their variables.
func (target Target) Run(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	script, err := parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if target.URL == "" {
		server := httptest.NewServer(target.Handler)
		defer server.Close()
		target.URL = server.URL
	}
	vars := maps.Clone(target.Vars)
	if vars == nil {
		vars = map[string]string{}
	}
	for _, scene := range script.cases {
		t.Run(scene.name, func(t *testing.T) {
			r := runner{url: target.URL, mount: target.Mount, client: target.client(t), vars: vars}
			for _, e := range scene.exchanges {
				at := fmt.Sprintf("%s:%d", filepath.Base(file), e.line)
				if problems := r.run(e); len(problems) > 0 {
					t.Fatalf("%s: %s %s:\n\t%s", at, e.method, e.target, strings.Join(problems, "\n\t"))
				}
			}
		})
	}
}

func (target Target) client(t testing.TB) *http.Client {
	if target.Contract != nil {
		return target.Contract.Client(t)
	}
	return &http.Client{CheckRedirect: asItIs}
}

// asItIs keeps clients from following redirects.
func asItIs(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// runner runs exchanges.
type runner struct {
	url    string
	mount  string
	client *http.Client
	vars   map[string]string
}

// patience is how often a server that is too busy is asked again.
const patience = 50

// run makes one exchange and says what is not as it must be.
func (r runner) run(e exchange) []string {
	answer, err := r.ask(e)
	for range patience {
		if err != nil || answer.status != http.StatusServiceUnavailable {
			break
		}
		answer, err = r.ask(e) // nothing was done
	}
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	for _, c := range e.checks {
		if err := c.run(answer, r.vars); err != nil {
			problems = append(problems, fmt.Sprintf("line %d: %v", c.line, err))
		}
	}
	if len(problems) > 0 {
		problems = append(problems, fmt.Sprintf("answer: %d %s", answer.status, answer.body))
	}
	return problems
}

func (r runner) ask(e exchange) (reply, error) {
	request, err := r.request(e)
	if err != nil {
		return reply{}, err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(body)}, err
}

func (r runner) request(e exchange) (*http.Request, error) {
	target, err := expand(e.target, r.vars)
	if err != nil {
		return nil, err
	}
	body, err := expand(e.body, r.vars)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(e.method, r.url+strings.TrimPrefix(target, r.mount), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, header := range e.headers {
		value, err := expand(header[1], r.vars)
		if err != nil {
			return nil, err
		}
		request.Header.Add(header[0], encoded.ReplaceAllStringFunc(value, encode))
	}
	if body != "" && request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

var (
	variable = regexp.MustCompile(`\{[a-z][A-Za-z0-9]*\}`)
	encoded  = regexp.MustCompile(`base64\([^)]*\)`)
)

// expand puts variables in their places. One that is not set is an error.
func expand(text string, vars map[string]string) (string, error) {
	var missing error
	text = variable.ReplaceAllStringFunc(text, func(name string) string {
		value, ok := vars[name[1:len(name)-1]]
		if !ok {
			missing = fmt.Errorf("the variable %s is not set", name)
		}
		return value
	})
	return text, missing
}

func encode(call string) string {
	text := strings.TrimSuffix(strings.TrimPrefix(call, "base64("), ")")
	return base64.StdEncoding.EncodeToString([]byte(text))
}
