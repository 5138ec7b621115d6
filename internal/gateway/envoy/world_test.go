package envoy_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"keyward"
	"keyward/client"
	"keyward/keywardtest"
)

// world is a running server with an organization, a verifier of it, and a connection such
// as Envoy has.
type world struct {
	*keywardtest.Server
	*client.Client
	org      string
	verifier string
	conn     *grpc.ClientConn
	authv3.AuthorizationClient
}

func newWorld(t *testing.T, options keywardtest.Options) *world {
	t.Helper()
	if options.GRPCListen == "" {
		options.GRPCListen = "127.0.0.1:0"
	}
	w := &world{Server: keywardtest.Start(t, options)}
	var err error
	if w.Client, err = client.New(w.URL, keyward.ForeignSecret(w.RootToken)); err != nil {
		t.Fatal(err)
	}
	org, err := w.CreateOrganization(t.Context(), client.NewOrganization{Name: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	w.org = org.ID
	w.verifier = w.operator(t, "verifier")
	w.conn, err = grpc.NewClient(w.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.conn.Close() })
	w.AuthorizationClient = authv3.NewAuthorizationClient(w.conn)
	return w
}

// operator returns the credential of a new one of the organization.
func (w *world) operator(t *testing.T, role string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"name": "gate", "role": role, "organizationId": w.org})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+"/v1/operators", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.RootToken)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var made struct{ Secret string }
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || made.Secret == "" {
		t.Fatalf("make an operator: %s, %v", answer.Status, err)
	}
	return made.Secret
}

func (w *world) key(t *testing.T, key client.NewKey) client.Issued {
	t.Helper()
	key.Name = "a key"
	issued, err := w.CreateKey(t.Context(), w.org, key)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// request is what Envoy sends about GET path with headers, in pairs, from a client at
// 203.0.113.9: the attributes as its filter fills them in.
func request(path string, headers ...string) *authv3.CheckRequest {
	sent := map[string]string{
		":authority": "api.example.com", ":method": "GET", ":path": path, ":scheme": "https",
		"accept": "*/*", "user-agent": "curl/8.5.0", "x-forwarded-proto": "https", "x-request-id": "0b5a3f0e-3d1f-4f3e-9c3a-3d1f4f3e9c3a",
	}
	for i := 0; i+1 < len(headers); i += 2 {
		name := strings.ToLower(headers[i])
		if before, twice := sent[name]; twice {
			sent[name] = before + "," + headers[i+1] // as Envoy joins lines
			continue
		}
		sent[name] = headers[i+1]
	}
	return &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		Source:      &authv3.AttributeContext_Peer{Address: at("203.0.113.9", 51966)},
		Destination: &authv3.AttributeContext_Peer{Address: at("10.0.0.5", 8443)},
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
			Id: "1234567890", Method: "GET", Path: path, Host: "api.example.com", Scheme: "https", Protocol: "HTTP/2", Size: -1, Headers: sent,
		}},
		ContextExtensions: map[string]string{"virtual_host": "api"},
		MetadataContext:   &corev3.Metadata{},
	}}
}

// taking adds context extensions, in pairs, to a request.
func taking(in *authv3.CheckRequest, extensions ...string) *authv3.CheckRequest {
	for i := 0; i+1 < len(extensions); i += 2 {
		in.Attributes.ContextExtensions[extensions[i]] = extensions[i+1]
	}
	return in
}

func at(ip string, port uint32) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: ip, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
	}}}
}

// check asks as the verifier does.
func (w *world) check(t *testing.T, in *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	t.Helper()
	return w.Check(metadata.AppendToOutgoingContext(t.Context(), "keyward-authorization", "Bearer "+w.verifier), in)
}

// answered is check where there must be an answer.
func (w *world) answered(t *testing.T, in *authv3.CheckRequest) *authv3.CheckResponse {
	t.Helper()
	answer, err := w.check(t, in)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// statusOf is what Envoy gives the client.
func statusOf(answer *authv3.CheckResponse) int {
	if denied := answer.GetDeniedResponse(); denied != nil {
		return int(denied.GetStatus().GetCode())
	}
	return http.StatusOK
}

// headerOf returns headers as HTTP has them.
func headerOf(options []*corev3.HeaderValueOption) http.Header {
	header := http.Header{}
	for _, option := range options {
		header.Add(option.GetHeader().GetKey(), option.GetHeader().GetValue())
	}
	return header
}
