package api_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/api"
)

// echo is a surface whose answers say what reached the handler.
func echo() api.Surface {
	return api.Surface{
		Name: "echo",
		Authenticate: func(r *http.Request) (keyward.Actor, error) {
			token, err := api.Bearer(r)
			if err != nil {
				return keyward.Actor{}, err
			}
			return keyward.Actor{Type: keyward.OperatorActor, ID: "opr_" + token}, nil
		},
		Error: func(w http.ResponseWriter, r *http.Request, err error) {
			api.WriteJSON(w, r, api.StatusOf(err), "application/problem+json", map[string]any{
				"code": keyward.CodeOf(err), "detail": keyward.MessageOf(err), "errors": keyward.FieldsOf(err),
			})
		},
	}
}

func said(format string) api.Handler {
	return func(_ context.Context, c *api.Call) (api.Answer, error) {
		return api.Answer{Body: map[string]string{"said": format, "id": c.Path("id"), "by": c.By.ID, "body": string(c.Body())}}, nil
	}
}

var routes = []api.Route{
	{Pattern: "GET /things", Query: []string{"limit"}, Handle: said("list")},
	{Pattern: "POST /things", MaxBody: 100, Handle: said("create")},
	{Pattern: "GET /things/{id}", Handle: said("read")},
	{Pattern: "PATCH /things/{id}", Handle: said("update")},
	{Pattern: "DELETE /things/{id}", Handle: said("delete")},
	{Pattern: "POST /things/import", Handle: said("import")},
	{Pattern: "GET /files/{path...}", Open: true, Handle: said("file")},
	{Pattern: "GET /open", Open: true, Handle: said("open")},
	{Pattern: "POST /token", Open: true, Media: []string{api.MediaForm}, Handle: said("token")},
	{Pattern: "GET /panic", Open: true, Handle: func(context.Context, *api.Call) (api.Answer, error) { panic("hush-hush") }},
	{Pattern: "GET /broken", Open: true, Handle: func(context.Context, *api.Call) (api.Answer, error) {
		return api.Answer{}, errors.New("disk on fire")
	}},
	{Pattern: "GET /away", Open: true, Handle: func(context.Context, *api.Call) (api.Answer, error) {
		return api.Answer{}, keyward.Errorf(keyward.Unavailable, "come back later")
	}},
	{Pattern: "GET /throttled", Open: true, Handle: func(context.Context, *api.Call) (api.Answer, error) {
		return api.Answer{}, keyward.Throttle(1001*time.Millisecond, "slowly")
	}},
	{Pattern: "GET /unspeakable", Open: true, Handle: func(context.Context, *api.Call) (api.Answer, error) {
		return api.Answer{Status: http.StatusCreated, Body: func() {}}, nil
	}},
	{Pattern: "GET /raw", Open: true, Handle: func(context.Context, *api.Call) (api.Answer, error) {
		header := http.Header{"Content-Type": {"text/csv"}, "Cache-Control": {"public"}}
		return api.Answer{Header: header, Body: []byte("a,<b>\n")}, nil
	}},
	{Pattern: "GET /html", Open: true, Handle: func(context.Context, *api.Call) (api.Answer, error) {
		return api.Answer{Status: http.StatusAccepted, Body: map[string]string{"t": "<&>"}}, nil
	}},
	{Pattern: "GET /nothing", Open: true, Handle: func(context.Context, *api.Call) (api.Answer, error) { return api.Answer{}, nil }},
}

// ask sends one request with a good credential to h.
func ask(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer me")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Del(header[i])
		if header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestSurfaceRoutesOneSpellingOfEachPath(t *testing.T) {
	h := echo().Handler(routes)
	for name, test := range map[string]struct {
		method, target string
		status         int
		allow          string
	}{
		"a known path":                             {"GET", "/things", 200, ""},
		"HEAD where GET is":                        {"HEAD", "/things/7", 200, ""},
		"a fixed segment hides no wildcard":        {"GET", "/things/import", 200, ""},
		"another method":                           {"PUT", "/things", 405, "GET, HEAD, POST"},
		"methods of overlapping patterns":          {"PUT", "/things/import", 405, "DELETE, GET, HEAD, PATCH, POST"},
		"OPTIONS":                                  {"OPTIONS", "/things", 405, "GET, HEAD, POST"},
		"TRACE":                                    {"TRACE", "/things", 405, "GET, HEAD, POST"},
		"an invented method":                       {"FOO", "/things/7", 405, "DELETE, GET, HEAD, PATCH"},
		"lower case is another method":             {"get", "/things", 405, "GET, HEAD, POST"},
		"an unknown path":                          {"GET", "/nope", 404, ""},
		"an unknown path, POST":                    {"POST", "/nope", 404, ""},
		"the root":                                 {"GET", "/", 404, ""},
		"another case":                             {"GET", "/Things", 404, ""},
		"a trailing slash":                         {"GET", "/things/", 404, ""},
		"a trailing slash behind a wildcard":       {"GET", "/things/7/", 404, ""},
		"a subtree":                                {"GET", "/files/a/b", 200, ""},
		"the root of a subtree":                    {"GET", "/files/", 200, ""},
		"a subtree without its slash":              {"GET", "/files", 404, ""},
		"a double slash":                           {"GET", "/things//7", 404, ""},
		"a double slash at the start":              {"GET", "//things", 404, ""},
		"a dot segment":                            {"GET", "/things/./7", 404, ""},
		"a dot segment at the end":                 {"GET", "/things/.", 404, ""},
		"two dots":                                 {"GET", "/files/../things", 404, ""},
		"two encoded dots":                         {"GET", "/files/%2e%2e/things", 404, ""},
		"two dots, half encoded":                   {"GET", "/files/.%2E/things", 404, ""},
		"an encoded slash":                         {"GET", "/things/a%2fb", 404, ""},
		"an encoded backslash":                     {"GET", "/things/a%5cb", 404, ""},
		"NUL":                                      {"GET", "/things/a%00", 404, ""},
		"an encoded line feed":                     {"GET", "/things/a%0d%0a", 404, ""},
		"bytes that are not UTF-8":                 {"GET", "/things/%ff", 404, ""},
		"a path parameter is data":                 {"GET", "/things/..;a=b", 200, ""},
		"an encoded letter":                        {"GET", "/%74hings", 200, ""},
		"a path of 5000 bytes":                     {"GET", "/things/" + strings.Repeat("a", 5000), 414, ""},
		"a query of 17 KiB":                        {"GET", "/open?a=" + strings.Repeat("a", 17<<10), 414, ""},
		"a query where the route knows none":       {"GET", "/open?api_key=x", 400, ""},
		"a parameter that the route knows":         {"GET", "/things?limit=5", 200, ""},
		"a parameter of another route":             {"GET", "/things/7?limit=5", 400, ""},
		"a method override has no effect on paths": {"GET", "/open", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(h, test.method, test.target, "", "X-HTTP-Method-Override", "DELETE")
			if w.Code != test.status || w.Header().Get("Allow") != test.allow {
				t.Errorf("%s %.60s: %d, Allow %q, want %d, %q", test.method, test.target,
					w.Code, w.Header().Get("Allow"), test.status, test.allow)
			}
			if got := w.Header().Get("Content-Type"); w.Code >= 400 && got != "application/problem+json" {
				t.Errorf("the error is %s, not the surface's own", got)
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers = %v, want no-store and nosniff", w.Header())
			}
		})
	}
}

func TestSurfaceAuthenticatesAfterRoutingAndBeforeTheRest(t *testing.T) {
	h := echo().Handler(routes)
	for name, test := range map[string]struct {
		method, target, body string
		status               int
	}{
		"an open route needs nobody":             {"GET", "/open", "", 200},
		"an unknown path is 404 to anybody":      {"GET", "/nope", "", 404},
		"a wrong method is 405 to anybody":       {"PUT", "/things", "", 405},
		"a known path is 401":                    {"GET", "/things", "", 401},
		"a wrong query is not looked at":         {"GET", "/things?x=1", "", 401},
		"a body that is too long is not read":    {"POST", "/things", strings.Repeat("x", 200), 401},
		"a body of the wrong type is not judged": {"POST", "/things", "<xml/>", 401},
	} {
		t.Run(name, func(t *testing.T) {
			if w := ask(h, test.method, test.target, test.body, "Authorization", ""); w.Code != test.status {
				t.Errorf("%s %s = %d, want %d", test.method, test.target, w.Code, test.status)
			}
		})
	}
}

func TestSurfacePassesTheCallOn(t *testing.T) {
	h := echo().Handler(routes)
	w := ask(h, "PATCH", "/things/a%40b%20c", `{"a":1}`)
	if got, want := w.Body.String(), `{"body":"{\"a\":1}","by":"opr_me","id":"a@b c","said":"update"}`; got != want {
		t.Errorf("body = %s, want %s", got, want)
	}
	if got := ask(h, "DELETE", "/things/7", `ignored`).Body.String(); !strings.Contains(got, `"body":""`) {
		t.Errorf("body = %s, want the body of a DELETE ignored", got)
	}
}

func TestSurfaceHidesWhatWentWrong(t *testing.T) {
	for path, secret := range map[string]string{"/panic": "hush-hush", "/broken": "disk on fire", "/unspeakable": "func"} {
		var log strings.Builder
		h := api.Intake{Log: slog.New(slog.NewTextHandler(&log, nil))}.Handler(echo().Handler(routes))
		w := ask(h, "GET", path, "")
		if w.Code != 500 || !strings.Contains(w.Body.String(), `"internal error"`) || strings.Contains(w.Body.String(), secret) {
			t.Errorf("GET %s = %d %s, want a bare internal error", path, w.Code, w.Body)
		}
		if !strings.Contains(log.String(), secret) || !strings.Contains(log.String(), w.Header().Get("X-Request-Id")) {
			t.Errorf("GET %s logged %q, want the cause and the request id", path, log.String())
		}
	}
}

func TestSurfaceWritesAnswers(t *testing.T) {
	h := echo().Handler(routes)
	for name, test := range map[string]struct {
		method, target string
		status         int
		header, value  string
		body           string
	}{
		"JSON without escaping HTML":        {"GET", "/html", 202, "Content-Type", "application/json", `{"t":"<&>"}`},
		"with its length":                   {"GET", "/html", 202, "Content-Length", "11", `{"t":"<&>"}`},
		"to HEAD the length alone":          {"HEAD", "/html", 202, "Content-Length", "11", ""},
		"bytes as they are":                 {"GET", "/raw", 200, "Content-Type", "text/csv", "a,<b>\n"},
		"headers of the handler win":        {"GET", "/raw", 200, "Cache-Control", "public", "a,<b>\n"},
		"nothing is 204 without length":     {"GET", "/nothing", 204, "Content-Length", "", ""},
		"429 says so too, in whole seconds": {"GET", "/throttled", 429, "Retry-After", "2", `{"code":"too_many_requests","detail":"slowly","errors":null}`},
		"503 says when to come back":        {"GET", "/away", 503, "Retry-After", "1", `{"code":"unavailable","detail":"come back later","errors":null}`},
		"an error to HEAD has no body too":  {"HEAD", "/nope", 404, "Content-Length", "58", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(h, test.method, test.target, "")
			if w.Code != test.status || w.Header().Get(test.header) != test.value || w.Body.String() != test.body {
				t.Errorf("%s %s = %d, %s %q, %q; want %d, %q, %q", test.method, test.target, w.Code, test.header,
					w.Header().Get(test.header), w.Body, test.status, test.value, test.body)
			}
		})
	}
}

func TestSurfaceReadsBodiesStrictly(t *testing.T) {
	h := echo().Handler(routes)
	for name, test := range map[string]struct {
		method, target, body string
		header               []string
		status               int
	}{
		"JSON":                           {"POST", "/things", `{}`, nil, 200},
		"JSON in UTF-8":                  {"POST", "/things", `{}`, []string{"Content-Type", `Application/JSON; charset="UTF-8"`}, 200},
		"JSON in UTF-16":                 {"POST", "/things", `{}`, []string{"Content-Type", "application/json; charset=utf-16"}, 415},
		"no type":                        {"POST", "/things", `{}`, []string{"Content-Type", ""}, 415},
		"an empty type":                  {"POST", "/things", `{}`, []string{"Content-Type", " "}, 415},
		"text":                           {"POST", "/things", `{}`, []string{"Content-Type", "text/plain"}, 415},
		"a malformed parameter":          {"POST", "/things", `{}`, []string{"Content-Type", "application/json; ="}, 415},
		"a repeated charset":             {"POST", "/things", `{}`, []string{"Content-Type", "application/json; charset=utf-8; charset=x"}, 415},
		"a form where JSON is wanted":    {"POST", "/things", `a=b`, []string{"Content-Type", api.MediaForm}, 415},
		"a form where forms are wanted":  {"POST", "/token", `a=b`, []string{"Content-Type", api.MediaForm}, 200},
		"no body needs no type":          {"POST", "/things", ``, nil, 200},
		"no body may have any type":      {"POST", "/things", ``, []string{"Content-Type", "text/plain"}, 200},
		"a merge patch":                  {"PATCH", "/things/7", `{}`, []string{"Content-Type", api.MediaMergePatch}, 200},
		"a merge patch is not for POST":  {"POST", "/things", `{}`, []string{"Content-Type", api.MediaMergePatch}, 415},
		"an encoded body":                {"POST", "/things", `{}`, []string{"Content-Encoding", "gzip"}, 415},
		"a twice encoded body":           {"POST", "/things", `{}`, []string{"Content-Encoding", "gzip, gzip"}, 415},
		"an identity body":               {"POST", "/things", `{}`, []string{"Content-Encoding", "identity"}, 200},
		"a body as long as allowed":      {"POST", "/things", strings.Repeat("x", 100), nil, 200},
		"a body one byte longer":         {"POST", "/things", strings.Repeat("x", 101), nil, 413},
		"the default limit":              {"PATCH", "/things/7", strings.Repeat("x", api.DefaultMaxBody+1), nil, 413},
		"an expectation nobody can meet": {"POST", "/things", `{}`, []string{"Expect", "miracles"}, 417},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(h, test.method, test.target, test.body, test.header...)
			if w.Code != test.status {
				t.Errorf("status = %d %s, want %d", w.Code, w.Body, test.status)
			}
			if closes := w.Header().Get("Connection") == "close"; closes != (w.Code == 413) {
				t.Errorf("Connection = %q with %d", w.Header().Get("Connection"), w.Code)
			}
		})
	}
	r := httptest.NewRequest("POST", "/things", strings.NewReader("{}"))
	r.Header = http.Header{"Authorization": {"Bearer me"}, "Content-Type": {"application/json", "application/json"}}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 415 {
		t.Errorf("two types: status = %d, want 415", w.Code)
	}
}

func TestStatusOfKnowsEveryCode(t *testing.T) {
	for code, want := range map[keyward.Code]int{
		keyward.Invalid: 400, keyward.Unauthenticated: 401, keyward.Forbidden: 403, keyward.NotFound: 404,
		api.MethodNotAllowed: 405, keyward.Conflict: 409, keyward.Stale: 412, api.TooLarge: 413,
		api.URITooLong: 414, api.UnsupportedMedia: 415, api.ExpectationFailed: 417, keyward.Reused: 422,
		keyward.Throttled: 429, keyward.Internal: 500, api.NotImplemented: 501, keyward.Unavailable: 503,
	} {
		if got := api.StatusOf(keyward.Errorf(code, "x")); got != want {
			t.Errorf("StatusOf(%s) = %d, want %d", code, got, want)
		}
	}
	if got := api.StatusOf(errors.New("x")); got != 500 {
		t.Errorf("StatusOf(any other) = %d, want 500", got)
	}
}
