package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
)

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestEveryResponseHasAFreshRequestID(t *testing.T) {
	var inside []string
	h := api.Intake{Log: slog.New(slog.DiscardHandler)}.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside = append(inside, api.RequestIDOf(r.Context()))
		w.WriteHeader(http.StatusTeapot)
	}))
	for i := range 3 {
		id := ask(h, "GET", "/", "", "X-Request-Id", "mine").Header().Get("X-Request-Id")
		if !uuid4.MatchString(id) || id != inside[i] || i > 0 && id == inside[i-1] {
			t.Errorf("id %q, inside %q: want the same fresh UUID v4", id, inside)
		}
	}
	if got := api.RequestIDOf(t.Context()); got != "" {
		t.Errorf("outside, the id is %q, want none", got)
	}
	if got := api.ClientIPOf(t.Context()); got.IsValid() {
		t.Errorf("outside, the address is %s, want none", got)
	}
}

func TestActorsCarryAddressAndRequestID(t *testing.T) {
	var by keyward.Actor
	surface := echo()
	authenticate := surface.Authenticate
	surface.Authenticate = func(r *http.Request) (keyward.Actor, error) {
		if got := api.ClientIPOf(r.Context()); got != netip.MustParseAddr("192.0.2.1") {
			t.Errorf("authentication sees the address %s", got)
		}
		return authenticate(r)
	}
	h := surface.Handler([]api.Route{{Pattern: "GET /", Handle: func(_ context.Context, c *api.Call) (api.Answer, error) {
		by = c.By
		return api.Answer{}, nil
	}}})
	w := ask(api.Intake{Log: slog.New(slog.DiscardHandler)}.Handler(h), "GET", "/", "")
	if by.IP != netip.MustParseAddr("192.0.2.1") || by.RequestID != w.Header().Get("X-Request-Id") || by.ID != "opr_me" {
		t.Errorf("actor = %+v", by)
	}
}

func forbidden(context.Context, *api.Call) (api.Answer, error) {
	return api.Answer{}, keyward.Errorf(keyward.Forbidden, "needs the permission keys.read")
}

func TestLogHasOneLineWithoutSecrets(t *testing.T) {
	for name, test := range map[string]struct {
		method, target string
		want           map[string]any
	}{
		"of a route": {"POST", "/things/import?x=canary", map[string]any{
			"msg": "request", "method": "POST", "route": "POST /things/import", "status": 400., "ip": "192.0.2.1",
			"actorType": "operator", "actorId": "opr_me",
		}},
		"of an unknown path":     {"GET", "/canary", map[string]any{"route": "-", "status": 404., "actorId": nil}},
		"of an invented method":  {"CANARY", "/open", map[string]any{"method": "-", "route": "-", "status": 405.}},
		"of a wildcard":          {"GET", "/things/canary", map[string]any{"route": "GET /things/{id}", "status": 200.}},
		"of an abandoned answer": {"GET", "/panic", map[string]any{"route": "GET /panic", "status": 500.}},
		"of a refusal, and why":  {"GET", "/forbidden", map[string]any{"status": 403., "refusal": "needs the permission keys.read"}},
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			log := slog.New(slog.NewJSONHandler(&text, nil))
			h := api.Intake{Log: log}.Handler(echo().Handler(append(routes, api.Route{Pattern: "GET /forbidden", Handle: forbidden})))
			id := ask(h, test.method, test.target, "canary", "X-Header", "canary", "User-Agent", "canary").Header().Get("X-Request-Id")
			if strings.Contains(strings.ToLower(text.String()), "canary") {
				t.Errorf("the log has the canary: %s", text.String())
			}
			var line map[string]any
			lines := strings.Split(strings.TrimSpace(text.String()), "\n")
			if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
				t.Fatalf("not a line: %q", text.String())
			}
			test.want["requestId"] = id
			for member, want := range test.want {
				if line[member] != want {
					t.Errorf("%s = %v, want %v", member, line[member], want)
				}
			}
			if line["duration"] == nil || line["bytes"] == 0. {
				t.Errorf("line = %v, want a duration and the size", line)
			}
		})
	}
}

func TestAnswersOfQuietRoutesAreLoggedForDebuggingOnly(t *testing.T) {
	quiet := []api.Route{
		{Pattern: "GET /answer", Open: true, Quiet: true, Handle: func(context.Context, *api.Call) (api.Answer, error) {
			return api.Answer{Status: http.StatusTooManyRequests}, nil
		}},
		{Pattern: "GET /refusal", Open: true, Quiet: true, Handle: forbidden},
		{Pattern: "GET /panic", Open: true, Quiet: true, Handle: func(context.Context, *api.Call) (api.Answer, error) { panic("x") }},
	}
	for target, want := range map[string]slog.Level{
		"/answer": slog.LevelDebug, "/refusal": slog.LevelInfo, "/panic": slog.LevelInfo, "/nowhere": slog.LevelInfo,
	} {
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
			var text strings.Builder
			log := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: level}))
			ask(api.Intake{Log: log}.Handler(echo().Handler(quiet)), "GET", target, "")
			if got := strings.Contains(text.String(), "level="+want.String()+" msg=request"); got != (want >= level) {
				t.Errorf("%s at level %s: %s", target, level, text.String())
			}
		}
	}
}

func TestOnlyASocketIsASocket(t *testing.T) {
	if api.ThroughSocket(t.Context()) || !api.ThroughSocket(api.WithSocket(t.Context())) {
		t.Error("a request came through a UNIX socket if its connection did")
	}
}

func TestBearer(t *testing.T) {
	for name, test := range map[string]struct {
		headers []string
		want    string // "" is Unauthenticated
	}{
		"a token":                      {[]string{"Bearer abc.DEF-~!"}, "abc.DEF-~!"},
		"the scheme in another case":   {[]string{"bEARER x"}, "x"},
		"the longest token":            {[]string{"Bearer " + strings.Repeat("x", 8192)}, strings.Repeat("x", 8192)},
		"no header":                    {nil, ""},
		"an empty header":              {[]string{""}, ""},
		"the scheme alone":             {[]string{"Bearer"}, ""},
		"the scheme and a space":       {[]string{"Bearer "}, ""},
		"two spaces":                   {[]string{"Bearer  x"}, ""},
		"a tab":                        {[]string{"Bearer\tx"}, ""},
		"two tokens":                   {[]string{"Bearer x, Bearer y"}, ""},
		"two headers":                  {[]string{"Bearer x", "Bearer x"}, ""},
		"another scheme":               {[]string{"Basic eDp5"}, ""},
		"a bare token":                 {[]string{"kw_live_x"}, ""},
		"three characters":             {[]string{"abc"}, ""},
		"letters beyond ASCII":         {[]string{"Bearer é"}, ""},
		"DEL":                          {[]string{"Bearer x\x7f"}, ""},
		"a token one character longer": {[]string{"Bearer " + strings.Repeat("x", 8193)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			for _, h := range test.headers {
				r.Header.Add("Authorization", h)
			}
			got, err := api.Bearer(r)
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("Bearer = %.20q, %v, want %.20q", got, err, test.want)
			}
			if test.want == "" && keyward.CodeOf(err) != keyward.Unauthenticated {
				t.Errorf("code = %s, want %s", keyward.CodeOf(err), keyward.Unauthenticated)
			}
			if errors.Is(err, api.ErrNoCredential) != (test.headers == nil) {
				t.Errorf("err = %v, want ErrNoCredential only without a header", err)
			}
		})
	}
}
