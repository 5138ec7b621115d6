package envoy_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"keyward"
	"keyward/client"
	"keyward/keywardtest"
)

func TestEnvoyIsToldWhoseARequestIs(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, client.NewKey{OwnerID: "user 42"})
	in := request("/docs/1?x=y", "Authorization", "Bearer "+k.Secret.Reveal(), "X-Keyward-Key-Id", "key_of_somebody",
		"X-Keyward-Project-Ids", "prj_1", "x_keyward_owner_id", "me", "X-Keyward-Admin", "yes", "Keyward-Permission", "everything")
	answer := w.answered(t, in)
	ok := answer.GetOkResponse()
	if ok == nil || codes.Code(answer.GetStatus().GetCode()) != codes.OK {
		t.Fatalf("the answer is %v", answer)
	}
	set := headerOf(ok.GetHeaders())
	for name, want := range map[string]string{
		"X-Keyward-Key-Id": k.Key.ID, "X-Keyward-Organization-Id": w.org, "X-Keyward-Owner-Id": "user%2042", "X-Keyward-Environment": "live",
	} {
		if got := set[name]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, option := range ok.GetHeaders() {
		if option.GetAppendAction() != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD {
			t.Errorf("%s may stand beside the client's: %v", option.GetHeader().GetKey(), option)
		}
	}
	want := []string{"keyward-permission", "x-keyward-admin", "x-keyward-project-ids", "x_keyward_owner_id"}
	if got := ok.GetHeadersToRemove(); !slices.Equal(got, want) {
		t.Errorf("what the client claims is removed: %q, want %q", got, want)
	}
	fields := answer.GetDynamicMetadata().GetFields()["keyward"].GetStructValue().AsMap()
	for name, want := range map[string]any{
		"keyId": k.Key.ID, "organizationId": w.org, "ownerId": "user 42", "name": "a key", "environment": "live", "type": "secret", "clientId": k.Key.ClientID,
	} {
		if fields[name] != want {
			t.Errorf("the metadata holds %s = %v, want %v", name, fields[name], want)
		}
	}
}

func TestEnvoyRemovesTheKeyIfItIsTo(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, client.NewKey{}).Secret.Reveal()
	for extension, want := range map[string]bool{"true": true, "false": false} {
		for name, value := range map[string]string{"authorization": "Bearer " + k, "x-api-key": k} {
			answer := w.answered(t, taking(request("/", name, value), "keyward-remove-key", extension))
			if got := slices.Contains(answer.GetOkResponse().GetHeadersToRemove(), name); got != want {
				t.Errorf("with %s, %s is removed: %v", extension, name, got)
			}
		}
	}
}

// Whatever the proxy, the answer is the same: of each case both are asked.
func TestEnvoyIsAnsweredAsOtherProxiesAre(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	text := "key: {query: api_key}\nrules:\n- match: GET /health\n  open: true\n- match: GET /docs/{region}/{id...}\n" +
		"  permissions: [docs.read]\n  scope: {region: '{region}'}\n- match: GET /any\n"
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	free, ruled := newWorld(t, keywardtest.Options{}), newWorld(t, keywardtest.Options{AuthzRules: rules})
	acl := client.NewKey{ACL: []keyward.Grant{{Scope: keyward.Scope{"region": {"eu"}}, Permissions: []string{"docs.read"}}}}
	once := client.NewKey{RateLimits: []keyward.RateLimit{{Name: "requests", Limit: 1, Window: keyward.Duration(time.Hour)}}}
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, w := range []*world{free, ruled} {
		k, used := w.key(t, acl).Secret.Reveal(), w.key(t, once).Secret.Reveal()
		bound := w.key(t, client.NewKey{AllowedIPs: []string{"203.0.113.9"}}).Secret.Reveal()
		w.answered(t, request("/any", "X-Api-Key", used))
		for _, header := range [][]string{
			nil,
			{"Authorization", "Bearer " + k}, {"X-Api-Key", k}, {"Authorization", basic(k + ":")}, {"Authorization", basic("me:" + k)},
			{"Authorization", "Bearer " + k, "X-Api-Key", k}, {"Authorization", k}, {"X-Api-Key", ""}, {"X-Api-Key", w.verifier},
			{"X-Api-Key", "no key"}, {"X-Api-Key", strings.Repeat("k", 9<<10)}, {"X-Api-Key", used}, {"X-Api-Key", bound}, {"Cookie", "x-api-key=" + k},
		} {
			for _, path := range []string{
				"/health", "/docs/eu/1", "/docs/us/1", "/docs/%65u/1?x=%zz", "/any?api_key=" + k, "/any", "/nowhere", "//any", "/docs/../any", "/any;a=b",
				"/docs/eu%2f1", "", "*", "http://h/any", "/any%00", "/any#x",
			} {
				for _, terms := range [][]string{nil, {"Keyward-Permission", "docs.read", "Keyward-Scope", "region=eu"}, {"Keyward-Cost", "x"}, {"Keyward-Environment", "test"}} {
					compare(t, w, path, header, terms)
				}
			}
		}
	}
}

// compare asks as Envoy and as another proxy does.
func compare(t *testing.T, w *world, path string, header, terms []string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+"/authz/verify", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Keyward-Authorization", "Bearer "+w.verifier)
	r.Header["X-Original-Method"], r.Header["X-Original-Uri"] = []string{"GET"}, []string{path}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	for i := 0; i+1 < len(terms); i += 2 {
		r.Header.Add(terms[i], terms[i+1])
	}
	other, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	other.Body.Close()
	in := request(path, header...)
	in.Attributes.Source.Address = at("127.0.0.1", 4711) // as the other proxy's
	for i := 0; i+1 < len(terms); i += 2 {
		taking(in, strings.ToLower(terms[i]), terms[i+1])
	}
	answer, err := w.check(t, in)
	if err != nil {
		if status.Code(err) != codes.InvalidArgument || other.StatusCode != http.StatusBadRequest {
			t.Errorf("%q %q %q: %v, and another proxy has %d", path, header, terms, err, other.StatusCode)
		}
		return
	}
	if path == "" { // which other proxies cannot say
		return
	}
	got := headerOf(append(answer.GetOkResponse().GetHeaders(), answer.GetDeniedResponse().GetHeaders()...))
	if statusOf(answer) != other.StatusCode {
		t.Errorf("%q %q %q: %d, and another proxy has %d", path, header, terms, statusOf(answer), other.StatusCode)
	}
	for _, name := range []string{"X-Keyward-Key-Id", "X-Keyward-Organization-Id", "Www-Authenticate", "Retry-After"} {
		if got.Get(name) != other.Header.Get(name) && name != "Retry-After" || (got.Get(name) == "") != (other.Header.Get(name) == "") {
			t.Errorf("%q %q %q: %s is %q, and %q for another proxy", path, header, terms, name, got.Get(name), other.Header.Get(name))
		}
	}
}

func TestADenialHasAStatusABodyAndHeaders(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	limited := w.key(t, client.NewKey{RateLimits: []keyward.RateLimit{{Name: "requests", Limit: 1, Window: keyward.Duration(time.Hour)}}}).Secret.Reveal()
	first := w.answered(t, request("/", "X-Api-Key", limited)).GetOkResponse()
	if got := headerOf(first.GetResponseHeadersToAdd()).Get("RateLimit"); !strings.HasPrefix(got, `"requests";r=0;t=`) {
		t.Errorf("what passes tells the client RateLimit: %q", got)
	}
	for name, test := range map[string]struct {
		in     *authv3.CheckRequest
		want   int
		code   codes.Code
		header string
	}{
		"no key":         {request("/"), 401, codes.Unauthenticated, "Www-Authenticate"},
		"no permission":  {taking(request("/", "X-Api-Key", limited), "keyward-permission", "docs.read"), 403, codes.PermissionDenied, "Content-Type"},
		"a limit is hit": {request("/", "X-Api-Key", limited), 429, codes.ResourceExhausted, "Retry-After"},
	} {
		answer := w.answered(t, test.in)
		denied := answer.GetDeniedResponse()
		if statusOf(answer) != test.want || codes.Code(answer.GetStatus().GetCode()) != test.code {
			t.Errorf("%s: %v, want %d", name, answer, test.want)
		}
		header := headerOf(denied.GetHeaders())
		if header.Get(test.header) == "" || header.Get("Content-Type") != "application/problem+json" || !strings.Contains(denied.GetBody(), `"type":"about:blank"`) {
			t.Errorf("%s: %v %s", name, header, denied.GetBody())
		}
		if answer.GetDynamicMetadata() != nil || strings.Contains(answer.String(), limited) {
			t.Errorf("%s: the answer says too much: %v", name, answer)
		}
	}
}

func TestEnvoyProvesWhoItIs(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, client.NewKey{}).Secret.Reveal()
	in := request("/", "X-Api-Key", k)
	for name, test := range map[string]struct {
		sent []string
		want codes.Code
	}{
		"with its credential":    {[]string{"keyward-authorization", "Bearer " + w.verifier}, codes.OK},
		"without":                {nil, codes.Unauthenticated},
		"with a wrong one":       {[]string{"keyward-authorization", "Bearer kwop_x"}, codes.Unauthenticated},
		"with a key":             {[]string{"keyward-authorization", "Bearer " + k}, codes.Unauthenticated},
		"twice":                  {[]string{"keyward-authorization", "Bearer " + w.verifier, "keyward-authorization", "Bearer " + w.verifier}, codes.Unauthenticated},
		"where others have it":   {[]string{"authorization", "Bearer " + w.verifier}, codes.Unauthenticated},
		"without the right":      {[]string{"keyward-authorization", "Bearer " + w.operator(t, "viewer")}, codes.PermissionDenied},
		"as the client's header": {[]string{"x-api-key", k}, codes.Unauthenticated},
	} {
		_, err := w.Check(metadata.AppendToOutgoingContext(t.Context(), test.sent...), in)
		if status.Code(err) != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	in.Attributes.Request.Http.Headers["keyward-authorization"] = "Bearer " + w.verifier
	in.Attributes.ContextExtensions["keyward-authorization"] = "Bearer " + w.verifier
	if _, err := w.Check(t.Context(), in); status.Code(err) != codes.Unauthenticated {
		t.Errorf("in the message: %v", err)
	}
}

func TestWhoMayUseTheSocketNeedsNoCredential(t *testing.T) {
	dir, err := os.MkdirTemp("", "kw") // the names of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := newWorld(t, keywardtest.Options{GRPCListen: "unix:" + filepath.Join(dir, "grpc.sock")})
	k := w.key(t, client.NewKey{})
	answer, err := w.Check(t.Context(), request("/", "X-Api-Key", k.Secret.Reveal()))
	if err != nil || headerOf(answer.GetOkResponse().GetHeaders()).Get("X-Keyward-Key-Id") != k.Key.ID {
		t.Errorf("the answer is %v, %v", answer, err)
	}
	if _, err := w.Check(metadata.AppendToOutgoingContext(t.Context(), "keyward-authorization", "Bearer wrong"), request("/")); status.Code(err) != codes.Unauthenticated {
		t.Errorf("with a wrong credential: %v", err)
	}
}

func TestTheClientsAddressIsFoundBehindProxies(t *testing.T) {
	w := newWorld(t, keywardtest.Options{TrustedProxies: "203.0.113.0/24"})
	k := w.key(t, client.NewKey{AllowedIPs: []string{"198.51.100.7"}}).Secret.Reveal()
	for name, test := range map[string]struct {
		from      *corev3.Address
		forwarded string
		want      int
	}{
		"the client itself":              {at("198.51.100.7", 1), "", 200},
		"through a trusted proxy":        {at("203.0.113.9", 1), "198.51.100.7,203.0.113.9", 200},
		"a lie before that":              {at("203.0.113.9", 1), "198.51.100.7,192.0.2.1,203.0.113.9", 403},
		"through a stranger":             {at("192.0.2.1", 1), "198.51.100.7", 403},
		"an address that is none":        {at("nowhere", 1), "198.51.100.7", 403},
		"an address that is not there":   {nil, "198.51.100.7", 403},
		"a pipe":                         {&corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: "/x"}}}, "198.51.100.7", 403},
		"a thousand proxies":             {at("203.0.113.9", 1), strings.Repeat("203.0.113.9,", 1000) + "198.51.100.7", 200},
		"a thousand proxies in between ": {at("203.0.113.9", 1), "198.51.100.7" + strings.Repeat(",203.0.113.9", 1000), 403},
	} {
		in := request("/", "X-Api-Key", k)
		in.Attributes.Source.Address = test.from
		if test.forwarded != "" {
			in.Attributes.Request.Http.Headers["x-forwarded-for"] = test.forwarded
		}
		if got := statusOf(w.answered(t, in)); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

func TestHeadersMayComeAsLines(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, client.NewKey{}).Secret.Reveal()
	line := func(name, value string) *corev3.HeaderValue {
		return &corev3.HeaderValue{Key: name, RawValue: []byte(value)}
	}
	for name, test := range map[string]struct {
		lines []*corev3.HeaderValue
		want  int
	}{
		"one":             {[]*corev3.HeaderValue{line(":path", "/"), line("x-api-key", k)}, 200},
		"as text":         {[]*corev3.HeaderValue{{Key: "x-api-key", Value: k}}, 200},
		"two":             {[]*corev3.HeaderValue{line("x-api-key", k), line("x-api-key", k)}, 401},
		"bytes":           {[]*corev3.HeaderValue{line("x-api-key", "\xff\xfe\x00")}, 401},
		"one that is nil": {[]*corev3.HeaderValue{nil, line("x-api-key", k)}, 200},
	} {
		in := request("/")
		in.Attributes.Request.Http.Headers, in.Attributes.Request.Http.HeaderMap = nil, &corev3.HeaderMap{Headers: test.lines}
		if got := statusOf(w.answered(t, in)); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

func TestHostileMessagesAreRefused(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, client.NewKey{}).Secret.Reveal()
	many := request("/", "X-Api-Key", k)
	for i := range 10_000 {
		many.Attributes.Request.Http.Headers["x-"+strings.Repeat("y", i%7)+string(rune('a'+i%26))+strings.Repeat("z", i%50)] = "v"
	}
	huge := request("/", "X-Api-Key", k)
	huge.Attributes.Request.Http.RawBody = make([]byte, 2<<20)
	for name, test := range map[string]struct {
		in   *authv3.CheckRequest
		want codes.Code
	}{
		"nothing":                       {&authv3.CheckRequest{}, codes.InvalidArgument},
		"empty attributes":              {&authv3.CheckRequest{Attributes: &authv3.AttributeContext{}}, codes.InvalidArgument},
		"no HTTP":                       {&authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{}}}, codes.InvalidArgument},
		"an empty request":              {&authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{}}}}, codes.OK},
		"many headers":                  {many, codes.OK},
		"two megabytes":                 {huge, codes.ResourceExhausted},
		"a misspelt extension":          {taking(request("/"), "keyward-permissions", "x"), codes.InvalidArgument},
		"an extension with underscores": {taking(request("/"), "keyward_permission", "x"), codes.InvalidArgument},
		"an extension twice":            {taking(request("/"), "keyward-cost", "1", "Keyward-Cost", "1"), codes.InvalidArgument},
		"a negative cost":               {taking(request("/"), "keyward-cost", "-1"), codes.InvalidArgument},
		"an endless cost":               {taking(request("/"), "keyward-cost", "99999999999999999999"), codes.InvalidArgument},
		"a wildcard":                    {taking(request("/"), "keyward-permission", "docs.*"), codes.InvalidArgument},
		"half a removal":                {taking(request("/"), "keyward-remove-key", "maybe"), codes.InvalidArgument},
		"a path of 50 KB":               {request("/"+strings.Repeat("%ff", 17_000), "X-Api-Key", k), codes.OK},
	} {
		_, err := w.check(t, test.in)
		if status.Code(err) != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), k) {
			t.Errorf("%s: the error holds the key: %v", name, err)
		}
	}
	if got := statusOf(w.answered(t, request("/", "X-Api-Key", k))); got != 200 {
		t.Errorf("after all that: %d", got)
	}
}

// A gRPC client keeps what is too late to itself, so this one is made by hand.
func TestWhatIsTooLateSpendsNothing(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.key(t, client.NewKey{Credits: &keyward.Credits{Remaining: 1}}).Secret.Reveal()
	message, err := proto.Marshal(request("/", "X-Api-Key", k))
	if err != nil {
		t.Fatal(err)
	}
	frame := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+w.GRPC+"/envoy.service.auth.v3.Authorization/Check", bytes.NewReader(frame))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{
		"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "Grpc-Timeout": {"1n"}, "Keyward-Authorization": {"Bearer " + w.verifier},
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	if answer, err := (&http.Client{Transport: transport}).Do(r); err == nil { // or the stream was reset
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if code := answer.Trailer.Get("Grpc-Status") + answer.Header.Get("Grpc-Status"); code != "4" {
			t.Errorf("the code is %q, want 4, which is that the deadline has passed", code)
		}
	}
	if got := statusOf(w.answered(t, request("/", "X-Api-Key", k))); got != 200 {
		t.Errorf("the credit is gone: %d", got)
	}
}

func TestTheServerTellsItsHealth(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	probe := healthv1.NewHealthClient(w.conn)
	for _, service := range []string{"", "envoy.service.auth.v3.Authorization"} {
		got, err := probe.Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
		if err != nil || got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", service, got, err)
		}
	}
	if err := w.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := w.check(t, request("/")); status.Code(err) != codes.Unavailable {
		t.Errorf("after it stopped: %v", err)
	}
}
