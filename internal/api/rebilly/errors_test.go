package rebilly_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/api/apitest"
	"keyward/internal/api/rebilly"
	"keyward/internal/control"
	"keyward/internal/keyring"
	"keyward/internal/oauth"
	"keyward/internal/store"
	"keyward/internal/token"
	"keyward/internal/verify"
	"keyward/keywardtest"
)

func TestMalformedQueriesNameTheParameter(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	reader := w.reader(w.organization(`{"name": "acme"}`))

	const limits = "must be a whole number from 0 to 1000"
	const offsets = "must be a whole number from 0 to 2147483647"
	const sorts = "the fields are: id, description, type, createdTime, updatedTime"
	const filters = "the fields are: id, description, type, apiUser, createdTime, updatedTime"
	for query, test := range map[string]struct{ field, message string }{
		"limit=-1":                   {"limit", limits},
		"limit=1001":                 {"limit", limits},
		"limit=1e2":                  {"limit", limits},
		"limit=%2B1":                 {"limit", limits},
		"limit=":                     {"limit", limits},
		"limit=99999999999999999999": {"limit", limits},
		"offset=-1":                  {"offset", offsets},
		"offset=2147483648":          {"offset", offsets},
		"offset=x":                   {"offset", offsets},
		"sort=name":                  {"sort", `unknown field \"name\"; ` + sorts},
		"sort=apiUser":               {"sort", `unknown field \"apiUser\"; ` + sorts},
		"sort=id,":                   {"sort", `unknown field \"\"; ` + sorts},
		"sort=id,-id":                {"sort", "sorts by id more than once"},
		"filter=name:x":              {"filter", `clause 1: unknown field \"name\"; ` + filters},
		"filter=secretKey:x":         {"filter", `clause 1: unknown field \"secretKey\"; ` + filters},
		"filter=status:active":       {"filter", `clause 1: unknown field \"status\"; ` + filters},
		"filter=acl.0.permissions:x": {"filter", `clause 1: unknown field \"acl.0.permissions\"; ` + filters},
		"filter=id":                  {"filter", "clause 1: is not of the form field:value"},
		"filter=type:x":              {"filter", "clause 1: type: value 1 is none of: secret, publishable"},
		"filter=id:a;id:@b":          {"filter", `clause 2: id: value 1 names a saved list, which is not supported; quote a text that begins with \"@\"`},
		"filter=createdTime:today":   {"filter", "clause 1: createdTime: value 1 is not an RFC 3339 date-time such as 2026-01-31T09:30:00Z"},
		"limit=1&limit=1":            {"limit", "is given more than once"},
		"sort=id&sort=type":          {"sort", "is given more than once"},
		"unknown=1&unknown=1":        {"unknown", "is given more than once"},
		"filter=%zz":                 {"filter", "has a malformed percent-escape"},
		"filter":                     {"", `has a parameter without \"=\"`},
		"=x":                         {"", "has a parameter without a name"},
	} {
		t.Run(query, func(t *testing.T) {
			detail := strings.TrimPrefix(test.field+" "+test.message, " ")
			want := `{"status":400,"title":"Bad Request","detail":"` + detail +
				`","invalidFields":[{"field":"` + test.field + `","message":"` + test.message + `"}]}`
			w.get("/rebilly/api-keys?"+query, "REB-APIKEY", reader.Secret).expect(t, 400, want)
		})
	}
	t.Run("all of it at once", func(t *testing.T) {
		w.get("/rebilly/api-keys?limit=1&limit=2&sort=%ff", "REB-APIKEY", reader.Secret).expect(t, 400,
			`{"status":400,"title":"Bad Request","detail":"limit is given more than once (and 1 more)","invalidFields":[`+
				`{"field":"limit","message":"is given more than once"},{"field":"sort","message":"is not UTF-8"}]}`)
	})
	t.Run("two organizations", func(t *testing.T) {
		w.get("/rebilly/api-keys", "REB-APIKEY", reader.Secret, "Organization-Id", "a", "Organization-Id", "b").expect(t, 400,
			`{"status":400,"title":"Bad Request","detail":"Organization-Id is given more than once",`+
				`"invalidFields":[{"field":"Organization-Id","message":"is given more than once"}]}`)
	})
	t.Run("strangers learn nothing of it", func(t *testing.T) {
		w.get("/rebilly/api-keys?limit=-1").expect(t, 401, unauthorized)
	})
}

func TestOtherPathsAndMethods(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	reader := w.reader(organization)
	const notAllowed = `{"status":405,"title":"Method Not Allowed","detail":"this method is not allowed here"}`
	for _, request := range []string{
		"PUT /rebilly/api-keys", "PUT /rebilly/api-keys/", "PATCH /rebilly/api-keys", "OPTIONS /rebilly/api-keys",
		"DELETE /rebilly/organizations/" + organization + "/api-keys", "PUT /rebilly/organizations/x/api-keys/",
	} {
		t.Run(request, func(t *testing.T) {
			method, path, _ := strings.Cut(request, " ")
			got := w.do(method, path, "", "REB-APIKEY", reader.Secret)
			got.expect(t, 405, notAllowed)
			if allow := got.Header.Get("Allow"); allow != "GET, HEAD, POST" {
				t.Errorf("Allow = %q", allow)
			}
		})
	}
	for _, request := range []string{
		"GET /rebilly", "GET /rebilly/", "GET /rebilly//organizations", "GET /rebilly/organizations/" + organization + "/x",
		"GET /rebilly/api-keys/" + reader.ID + "/x", "POST /rebilly/signup", "GET /rebilly/profiles", "GET /rebilly//api-keys",
		"GET /rebilly/organizations/a%2Fb/api-keys", "GET /rebilly/organizations//api-keys",
		"GET /rebilly/./api-keys", "GET /rebilly/API-KEYS", "GET /rebilly/v1/organizations",
	} {
		t.Run(request, func(t *testing.T) {
			method, path, _ := strings.Cut(request, " ")
			w.do(method, path, "", "REB-APIKEY", reader.Secret).expect(t, 404, notFound)
		})
	}
}

// A server that cannot answer says so in the vendor's shape too.
func TestOutages(t *testing.T) {
	ring, err := keyring.Parse(keyring.Generate())
	if err != nil {
		t.Fatal(err)
	}
	signer, err := token.New(ring.TokenKey(), "keyward")
	if err != nil {
		t.Fatal(err)
	}
	starting := verify.New(ring)
	ask := func(engine *verify.Engine, plane *control.Plane, secret string) answer {
		surface := rebilly.New(plane, engine, oauth.New(signer, engine), "")
		request := httptest.NewRequest("GET", "/rebilly/api-keys", http.NoBody)
		request.Header.Set("REB-APIKEY", secret)
		recorder := httptest.NewRecorder()
		api.Intake{Log: slog.New(slog.DiscardHandler)}.Handler(surface).ServeHTTP(recorder, request)
		return answer{apitest.Recorded(recorder)}
	}

	t.Run("a server that is starting", func(t *testing.T) {
		got := ask(starting, nil, keyward.NewSecret("kw", keyward.Live).Reveal())
		got.expect(t, 503, `{"status":503,"title":"Service Unavailable","detail":"the server is starting"}`)
		if got.Header.Get("Retry-After") == "" {
			t.Error("Retry-After is missing")
		}
	})

	engine, plane, s := standalone(t, ring)
	secret := firstKey(t, engine, plane)
	if got := ask(engine, plane, secret); got.Status != 200 {
		t.Fatalf("before the outage: %d %s", got.Status, got.Body)
	}
	t.Run("a bug", func(t *testing.T) {
		ask(engine, nil, secret).expect(t, 500, `{"status":500,"title":"Internal Server Error","detail":"internal error"}`)
	})
	t.Run("a database that is gone", func(t *testing.T) {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		got := ask(engine, plane, secret)
		if got.Status != 503 || !strings.HasPrefix(got.Body, `{"status":503,"title":"Service Unavailable","detail":"`) {
			t.Errorf("answer = %d %s", got.Status, got.Body)
		}
	})
}

// standalone is what a server is made of, with a store that can be taken away.
func standalone(t *testing.T, ring *keyring.Keyring) (*verify.Engine, *control.Plane, *store.Store) {
	t.Helper()
	engine := verify.New(ring)
	var s *store.Store
	s, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/keyward.db", store.Config{
		Chain: ring.AuditMAC, ChainKeyID: ring.AuditKeyID(),
		Committed: func(ctx context.Context, entry keyward.LogEntry) error { return engine.Commit(ctx, s, entry) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return engine, control.New(s, ring), s
}

// firstKey returns the secret of a key that may read keys.
func firstKey(t *testing.T, engine *verify.Engine, plane *control.Plane) string {
	t.Helper()
	root, err := plane.Bootstrap(t.Context(), keyward.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	by, ok := engine.Operator(root.Reveal(), keyward.TimeOf(time.Now()))
	if !ok {
		t.Fatal("the root operator is not accepted")
	}
	organization, err := plane.CreateOrganization(t.Context(), by, keyward.Organization{Name: "acme", Enabled: true}, control.Once{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := plane.CreateKey(t.Context(), by, keyward.Key{
		OrganizationID: organization.Organization.ID, Name: "reader", Type: keyward.SecretKey, Environment: keyward.Live,
		Enabled: true, Management: []keyward.Grant{{Permissions: []string{"keys.read"}}},
	}, control.Once{})
	if err != nil {
		t.Fatal(err)
	}
	return out.Secret.Reveal()
}
