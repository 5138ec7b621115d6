package apitest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyward/internal/api/apitest"
)

// document describes one operation, and one error.
const document = `{
  "openapi": "3.1.0",
  "info": { "title": "Greetings", "version": "1" },
  "servers": [{ "url": "/api" }],
  "paths": {
    "/greet/{name}": {
      "post": {
        "operationId": "greet",
        "parameters": [{ "name": "name", "in": "path", "required": true, "schema": { "type": "string", "maxLength": 8 } }],
        "requestBody": {
          "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Greeting" } } }
        },
        "responses": {
          "200": {
            "description": "The greeting.",
            "headers": { "X-Count": { "required": true, "schema": { "type": "string", "pattern": "^[0-9]+$" } } },
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Greeting" } } }
          },
          "204": { "description": "Nothing to say." },
          "400": { "$ref": "#/components/responses/Wrong" }
        }
      }
    }
  },
  "components": {
    "responses": {
      "Wrong": {
        "description": "Wrong.",
        "content": {
          "application/problem+json": { "schema": { "type": "object", "required": ["title"], "properties": { "title": { "type": "string" } } } }
        }
      }
    },
    "schemas": {
      "Greeting": {
        "type": "object", "required": ["text"], "additionalProperties": false,
        "properties": { "text": { "type": ["string", "null"] } }
      }
    }
  }
}`

// recorder is a testing.TB that keeps what is wrong.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// answer is what the server of a case says.
type answer struct {
	status int
	media  string
	body   string
	header http.Header
}

func (a answer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if a.media != "" {
		w.Header().Set("Content-Type", a.media)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.body)
}

func TestAClientHoldsExchangesAgainstTheContract(t *testing.T) {
	counted := http.Header{"X-Count": {"1"}}
	good := answer{200, "application/json", `{"text": "hello"}`, counted}
	wrong := answer{400, "application/problem+json", `{"title": "no"}`, nil}
	for name, test := range map[string]struct {
		method, path, body string
		answer             answer
		want               string // part of the one complaint; "" for none
	}{
		"what is documented is fine":         {"POST", "/api/greet/sun", `{"text": "hi"}`, good, ""},
		"a refused request may be wrong":     {"POST", "/api/greet/sun", `{"txt": 1}`, wrong, ""},
		"an accepted request must be right":  {"POST", "/api/greet/sun", `{"txt": 1}`, good, "accepts what the contract refuses"},
		"an accepted path must be right":     {"POST", "/api/greet/everything", `{"text": null}`, good, "accepts what the contract refuses"},
		"members are closed in answers":      {"POST", "/api/greet/sun", "", answer{200, "application/json", `{"text": "x", "more": 1}`, counted}, "doesn't match schema"},
		"members have their types":           {"POST", "/api/greet/sun", "", answer{200, "application/json", `{"text": 1}`, counted}, "doesn't match schema"},
		"the media type is documented":       {"POST", "/api/greet/sun", "", answer{200, "text/plain", `hello`, counted}, "Content-Type"},
		"a required header is there":         {"POST", "/api/greet/sun", "", answer{200, "application/json", `{"text": "x"}`, nil}, "X-Count"},
		"a header has its form":              {"POST", "/api/greet/sun", "", answer{200, "application/json", `{"text": "x"}`, http.Header{"X-Count": {"one"}}}, "X-Count"},
		"the status is documented":           {"POST", "/api/greet/sun", "", answer{418, "application/json", `{}`, nil}, "status is not documented"},
		"no body is no body":                 {"POST", "/api/greet/sun", "", answer{204, "", "", nil}, ""},
		"an error has its form":              {"POST", "/api/greet/sun", "", answer{400, "application/problem+json", `{"name": 1}`, nil}, "doesn't match schema"},
		"other paths are errors":             {"GET", "/api/other", "", answer{200, "application/json", `{}`, nil}, "no such operation"},
		"other paths are errors of the form": {"GET", "/api/other", "", answer{404, "text/plain", `not found`, nil}, "none of the contract's errors"},
		"other paths may be documented ones": {"GET", "/other", "", answer{404, "application/problem+json", `{"title": "no"}`, nil}, ""},
		"other methods name those there are": {"GET", "/api/greet/sun", "", answer{405, "application/problem+json", `{"title": "no"}`, nil}, "methods are allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			found := &recorder{TB: t}
			request, err := http.NewRequest(test.method, server.URL+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			response, err := apitest.Load(t, []byte(document)).Client(found).Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if test.want == "" && len(found.errors) > 0 {
				t.Errorf("complaints: %q, want none", found.errors)
			}
			if test.want != "" && (len(found.errors) != 1 || !strings.Contains(found.errors[0], test.want)) {
				t.Errorf("complaints: %q, want one about %q", found.errors, test.want)
			}
		})
	}
}

func TestAContractKnowsWhichAnswersItHasSeen(t *testing.T) {
	server := httptest.NewServer(answer{204, "", "", nil})
	defer server.Close()
	contract := apitest.Load(t, []byte(document))
	if got := fmt.Sprint(contract.Unseen()); got != "[greet 200 greet 204 greet 400]" {
		t.Errorf("Unseen = %s at first", got)
	}
	response, err := contract.Client(t).Post(server.URL+"/api/greet/sun", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := fmt.Sprint(contract.Unseen()); got != "[greet 200 greet 400]" {
		t.Errorf("Unseen = %s after a 204", got)
	}
}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	w.Header().Set("X-Method", r.Method)
	w.Header().Set("X-Path", r.URL.RequestURI())
	w.Header().Set("X-Authorization", r.Header.Get("Authorization"))
	w.WriteHeader(http.StatusAccepted)
	w.Write(body)
}

func TestATranscriptRunsAgainstAHandler(t *testing.T) {
	file := filepath.Join(t.TempDir(), "echo.http")
	if err := os.WriteFile(file, []byte(transcript), 0o600); err != nil {
		t.Fatal(err)
	}
	apitest.Target{Handler: http.HandlerFunc(echo), Vars: map[string]string{"user": "sun"}}.Run(t, file)
}

const transcript = `
# Every kind of check is understood. The name of the case ends before this.
POST /echo/{user}?x=1
authorization: Basic base64({user}:pass)
{"name": "{user}", "list": [1, {"deep": null}], "empty": {},
 "text": "a.b"}

code == 202
code != 200
header content-type == application/json
header X-Path == /echo/sun?x=1
header X-Method matches ^P..T$
header X-Authorization == Basic c3VuOnBhc3M=
absent header X-Nothing
json .name == "sun"
json .name != "moon"
json .list == [1, {"deep": null}]
json .list length 2
json .list contains 1
json .list.1.deep == null
json .list.-1 == {"deep": null}
json .empty == {}
json .text contains "."
json .text matches ^a\.b$
absent .nothing
absent .list.2
body matches "sun"
save name = .name
save path = header X-Path
save all = body

GET /again/{name}

code == 202
header X-Path == /again/sun
body length 0

# Variables last until the end of the file.
POST {path}
Content-Type: text/plain
{all}

header Content-Type == text/plain
body == {all}
`
