package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/api/native"
	"keyward/internal/keyring"
	"keyward/internal/pgtest"
	"keyward/internal/server"
	"keyward/keywardtest"
)

// rootCanary is the root operator's credential, of somebody's choice.
const rootCanary = "a-root-token-that-sings-0123456789-ABCDEFGHIJ"

// onceCanary is an Idempotency-Key, which opens a stored answer.
const onceCanary = "an-idempotency-key-that-sings-0123456789"

// A secret is in the answer that gives it out, and nowhere else: in no log line of any
// level, no metric, no profile, no file, no row, no error, no list and no audit event.
// What a recoverable organization keeps is encrypted.
func TestSecretsAreNowhereElse(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		b := newBird(t, keywardtest.Options{})
		b.live()
		b.search(map[string]string{"master.key": "the master key"})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		server := pgtest.StartServer(t, pgtest.Options{})
		b := newBird(t, keywardtest.Options{Database: server.URL("postgres"), MasterKey: keyring.Generate()})
		b.live()
		b.absentFromTables(t, b.options.Database)
		b.given.absentFromTables(t, b.options.Database)
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		b.strand() // errors of the database are logged as well
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		b.search(nil)
	})
}

// What the first start makes is in its own file, for its owner alone.
func TestTheFirstSecretsAreInTheirFiles(t *testing.T) {
	log := &ledger{}
	s, err := server.Open(t.Context(), server.Config{
		Listen: "127.0.0.1:0", OpsListen: "off", Data: t.TempDir(), Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(s.RootTokenPath)
	var c canaries
	c.add("the root token", s.RootToken.Reveal())
	key, err := os.ReadFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	c.add("the master key", strings.TrimSpace(string(key)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	own := map[string]string{"root-token": "the root token", "master.key": "the master key"}
	c.absentFromFiles(t, dir, own)
	c.absent(t, "the log", log.bytes())
	for name, secret := range own {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil || len(c.find(text)) != 1 {
			t.Errorf("%s does not hold %s: %v", name, secret, err)
		}
		if found, err := os.Stat(path); err != nil || found.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want 0600", name, found.Mode(), err)
		}
	}
}

// bird is a server with everything that it could betray.
type bird struct {
	*world
	canaries
	t      *testing.T
	ledger *ledger
	o      *tenant
	marker string // what might be a secret, for all that anybody knows
	values values
	owner  string
	strong credential // may all that keys can, but for reading secrets
	signed *person    // an owner of everything
	given  canaries   // what answers gave out to who performed
}

func newBird(t *testing.T, options keywardtest.Options) *bird {
	t.Helper()
	b := &bird{t: t, ledger: &ledger{}, marker: keyward.NewSecret("kw", keyward.Live).Reveal()}
	everything := &slog.HandlerOptions{Level: slog.LevelDebug - 8, AddSource: true}
	options.Log = slog.New(slog.NewMultiHandler(slog.NewTextHandler(b.ledger, everything), slog.NewJSONHandler(b.ledger, everything)))
	options.RootToken = rootCanary
	b.world = newWorld(t, options)
	b.add("the root token", rootCanary)
	b.add("an Idempotency-Key", onceCanary)
	b.add("what might be a secret", b.marker)
	master := options.MasterKey
	if master == "" {
		text, err := os.ReadFile(filepath.Join(b.Data, "master.key"))
		if err != nil {
			t.Fatal(err)
		}
		master = strings.TrimSpace(string(text))
	}
	b.add("the master key", master)
	return b
}

// live does what a server's life is made of.
func (b *bird) live() {
	b.o = b.tenant(b.t, "alpha")
	b.add("a key's secret", b.o.key.Secret)
	b.add("an operator's credential", b.o.operator.Secret)
	owner := b.operator(b.t, b.o, keyward.Owner)
	b.owner = owner.Secret
	b.add("the owner's credential", b.owner)
	b.values = b.world.values(b.t, b.o)
	b.add("an access token", b.values["accessToken"])
	keys := b.o.path() + "/api-keys"
	for range 2 { // the second time it is replayed
		again := b.must(b.t, "POST", keys, `{"name":"once"}`, "Idempotency-Key", onceCanary)
		rotated := b.must(b.t, "POST", keys+"/"+b.o.key.Key.ID+"/rotate", `{"overlap":"1h"}`, "Idempotency-Key", onceCanary)
		turned := b.must(b.t, "POST", "/v1/operators/"+b.o.operator.Operator.ID+"/rotate", "", "Idempotency-Key", onceCanary)
		b.add("a key's secret, made once", again.Secret)
		b.add("a rotated secret", rotated.Secret)
		b.add("an operator's new credential", turned.Secret)
	}
	plain := b.must(b.t, "POST", "/v1/organizations", `{"name":"not recoverable"}`)
	made := b.must(b.t, "POST", "/v1/organizations/"+plain.ID+"/api-keys", `{"name":"plain"}`, "Idempotency-Key", onceCanary)
	b.add("a secret that is not kept", made.Secret)
	publishable := b.key(b.t, b.o, `"type":"publishable"`)
	b.add("a publishable key", publishable.Secret)
	manager := b.holding(b.t, "a manager", b.manager(b.t, b.o, keyward.KeysRead, keyward.KeysVerify, keyward.AuditRead))
	b.add("a manager's key", manager.secret)
	b.add("a manager's token", manager.token)
	b.add("a vendor's token", manager.vendor)
	revealed := b.must(b.t, "POST", keys+"/"+publishable.Key.ID+"/reveal", "")
	if revealed.Secret != publishable.Secret {
		b.t.Errorf("revealed %q, which is not what was made", revealed.Secret)
	}
	b.perform()
	b.use(manager)
}

// use reads all that can be read and asks all that can be asked: no answer holds a
// secret.
func (b *bird) use(manager credential) {
	for _, s := range surfaces() {
		for _, route := range s.routes {
			for _, a := range askings(route) {
				if a.method != "GET" && !strings.HasPrefix(a.path, "/v1/verify") {
					continue
				}
				credentials := [][]string{s.present(manager), s.present(b.strong)}
				if s.name == "native" {
					credentials = [][]string{bearer(b.owner), bearer(rootCanary), bearer(manager.token)}
				}
				for _, header := range credentials {
					b.quiet(route.Pattern, b.send(b.t, a, b.values, header))
				}
			}
		}
	}
	for _, s := range surfaces() {
		for _, route := range s.kinds() {
			b.whisper(s, route)
		}
	}
}

// quiet fails if an answer holds a canary.
func (b *bird) quiet(at string, got answer) {
	b.t.Helper()
	b.absent(b.t, fmt.Sprintf("the answer %d of %s", got.status, at), []byte(got.body+fmt.Sprint(got.header)))
}

// whisper says the marker wherever a request has room for it.
func (b *bird) whisper(s surface, route api.Route) {
	a := askings(route)[0]
	header := bearer(b.owner)
	if s.name != "native" {
		header = nil
	}
	if s.name != "native" && a.method == "GET" {
		header = s.present(b.strong)
	}
	for _, name := range a.positions() {
		v := values{}
		for other, value := range b.values {
			v[other] = value
		}
		v[name] = b.marker
		if got := b.send(b.t, a, v, header); name != "secret" && name != "accessToken" {
			b.quiet(route.Pattern+" with it as "+name, got)
		}
	}
	for _, query := range []string{"limit", "cursor", "sort", "filter", "q", "count", "wait", "offset"} {
		aside := a
		aside.query = query + "=" + b.marker + "%00"
		b.quiet(route.Pattern+"?"+query, b.send(b.t, aside, b.values, header))
		aside.query = query + "=" + b.marker
		if a.method == "GET" {
			b.quiet(route.Pattern+"?"+query, b.send(b.t, aside, b.values, header))
		}
	}
	for _, name := range []string{
		"Authorization", "X-Api-Key", "Reb-Apikey", "Cookie", "X-Request-Id", "User-Agent", "Referer", "X-Forwarded-For", "If-Match",
		"Organization-Id", "Accept", "Origin", "Traceparent", "Content-Type", "Content-Encoding", "Forwarded", "X-Forwarded-Host", "Range",
	} {
		if a.method == "GET" || name == "Authorization" && header != nil {
			b.quiet(route.Pattern+" with "+name, b.send(b.t, a, b.values, append(slices.Clone(header), name, b.marker)))
		}
	}
	for _, scheme := range []string{"Bearer ", "Basic ", "ApiKey ", "Token "} {
		b.quiet(route.Pattern+" with "+scheme, b.send(b.t, a, b.values, []string{"Authorization", scheme + b.marker}))
	}
	if writes(route) {
		if s.name != "native" {
			header = s.present(b.strong)
		}
		b.mumble(s, route, a, header)
	}
}

// mumble says the marker in every member of a body, each time with something that is
// refused, since names and the like are kept as they are.
func (b *bird) mumble(s surface, route api.Route, a asking, header []string) {
	for _, member := range []string{
		"name", "role", "email", "organizationId", "prefix", "publicId", "type", "environment", "projectIds", "acl", "management", "allowedIps",
		"ownerId", "rateLimits", "credits", "metadata", "description", "enabled", "startTime", "expireTime", "overlap", "reason", "key", "ip", "permissions",
		"scope", "requests", "grant_type", "client_id", "client_secret", "secret", "password", "oneTimePassword", "secretKey", "apiKey", "apiName",
		"listProjectsId", "userApiKey", "roleId", "id", "apiKeyId",
	} {
		for _, value := range []string{`"` + b.marker + `\u0000"`, `["` + b.marker + `\u0000"]`, `{"x":"` + b.marker + `\u0000"}`} {
			text := fmt.Sprintf(`{"grant_type":"client_credentials",%q:%s}`, member, value)
			got := b.ask(b.t, a.method, b.values.fill(a.path), text, header...)
			b.quiet(route.Pattern+" with it as "+member, got)
			if got.status < 400 && s.name == "native" { // others take no notice of what they do not know
				b.t.Errorf("%s: %s: %d %s", route.Pattern, text, got.status, got.body)
			}
		}
	}
	for _, body := range []string{b.marker, `{"name":` + b.marker + `}`, `{"` + b.marker} {
		b.quiet(route.Pattern+" with it as the body", b.ask(b.t, a.method, b.values.fill(a.path), body, header...))
	}
	if slices.Contains(route.Media, api.MediaForm) {
		for _, member := range []string{"grant_type", "client_id", "client_secret", "scope"} {
			form := member + "=" + b.marker + "&grant_type=client_credentials"
			b.quiet(route.Pattern+" with it as "+member, b.ask(b.t, a.method, a.path, form, "Content-Type", api.MediaForm))
			form = member + "=" + b.marker
			b.quiet(route.Pattern+" with it as "+member, b.ask(b.t, a.method, a.path, form, "Content-Type", api.MediaForm))
		}
	}
	// As a name it may come back to who sent it, so that the error can say where, but
	// it goes nowhere else.
	b.ask(b.t, a.method, b.values.fill(a.path)+"?"+b.marker+"=x", `{"`+b.marker+`":1}`, header...)
	b.ask(b.t, strings.ToUpper(b.marker[:20]), "/"+b.marker, "")
}

// strand asks while there is no database.
func (b *bird) strand() {
	for _, route := range native.Routes() {
		a := askings(route)[0]
		a.header = []string{"Idempotency-Key", onceCanary}
		if a.method == "DELETE" {
			continue
		}
		b.quiet(route.Pattern+" without a database", b.send(b.t, a, b.values, bearer(b.owner)))
	}
}

// search looks wherever something could have been left, while the server runs and
// after it has stopped.
func (b *bird) search(own map[string]string) {
	b.t.Helper()
	for _, page := range []string{
		"/metrics", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/debug/pprof/goroutine?debug=1",
		"/debug/pprof/heap?debug=1", "/debug/pprof/allocs?debug=1", "/debug/pprof/block?debug=1", "/debug/pprof/mutex?debug=1",
		"/debug/pprof/threadcreate?debug=1", "/debug/pprof/symbol", "/debug/pprof/trace?seconds=0.1", "/debug/pprof/heap", "/nothing?x=" + b.marker[:8],
	} {
		response, err := http.Get(b.OpsURL + page)
		if err != nil {
			b.t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || len(body) == 0 && response.StatusCode == 200 {
			b.t.Errorf("%s: %d bytes, %v", page, len(body), err)
		}
		b.absent(b.t, page, body)
		b.given.absent(b.t, page, body)
	}
	b.absentFromFiles(b.t, b.Data, own)
	if err := b.Stop(); err != nil {
		b.t.Logf("stop: %v", err)
	}
	b.absentFromFiles(b.t, b.Data, own)
	b.given.absentFromFiles(b.t, b.Data, nil)
	log := b.ledger.bytes()
	if lines := strings.Count(string(log), "\n"); lines < 1000 || !json.Valid([]byte(strings.Split(string(log), "\n")[1])) {
		b.t.Errorf("%d lines were logged, text and JSON by turns: %.300s", lines, log)
	}
	b.given.absent(b.t, "the log", log)
	b.t.Logf("%d and %d secrets are in none of %d bytes of logs", len(b.names), len(b.given.names), len(log))
	if len(b.find(log)) == 0 {
		return
	}
	for _, line := range strings.Split(string(log), "\n") {
		b.absent(b.t, "the log line "+line, []byte(line))
	}
}
