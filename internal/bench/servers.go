package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// running is a server that answers.
type running struct {
	*process
	network, address string
}

// keyward starts Keyward, as it is shipped, on a data directory, and returns once it is
// ready.
func (b *bench) keyward(ctx context.Context, dir string, args ...string) (*running, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args = append([]string{"serve", "--data", dir, "--listen", address, "--ops-listen", "off"}, args...)
	p, err := start(nil, b.Program, args...)
	if err != nil {
		return nil, err
	}
	if err := p.answers(ctx, "tcp", address, "/readyz"); err != nil {
		p.stop()
		return nil, err
	}
	return &running{p, "tcp", address}, nil
}

// bare starts a bare server, on TCP unless it is told otherwise.
func (b *bench) bare(ctx context.Context, what Bare) (*running, error) {
	if what.Address == "" {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		what.Network, what.Address = "tcp", address
	}
	input, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	p, err := start(append(input, '\n'), b.Program, "bench", "serve-bare")
	if err != nil {
		return nil, err
	}
	if err := p.answers(ctx, what.Network, what.Address, "/"); err != nil {
		p.stop()
		return nil, err
	}
	return &running{p, what.Network, what.Address}, nil
}

// load returns requests to the server.
func (b *bench) load(s *running, requests [][]byte) load {
	return load{
		network: s.network, address: s.address, requests: requests, connections: b.Connections,
		status: "200", contains: `"valid":true`,
	}
}

// requestsAtHand is how many different requests a load goes through.
const requestsAtHand = 1 << 14

// plain returns questions about keys that are picked at random.
func (w *World) plain() [][]byte { return w.questions(w.sample(requestsAtHand)) }

// questions returns a question about each of the secrets.
func (w *World) questions(secrets []string) [][]byte {
	requests := make([][]byte, len(secrets))
	for i, secret := range secrets {
		requests[i] = post("/v1/verify", w.Verifier, `{"key":"`+secret+`"}`)
	}
	return requests
}

// batches returns requests with a hundred questions each.
func (w *World) batches() [][]byte {
	requests := make([][]byte, 256)
	for i := range requests {
		var questions []string
		for _, secret := range w.sample(100) {
			questions = append(questions, `{"key":"`+secret+`"}`)
		}
		requests[i] = post("/v1/verify/batch", w.Verifier, `{"requests":[`+strings.Join(questions, ",")+`]}`)
	}
	return requests
}

// everything is a key with all that a decision can depend on, and limits that are never
// reached.
const everything = `{"name":"everything","ownerId":"user_42","metadata":{"plan":"pro","seat":1},` +
	`"acl":[{"scope":{"region":["eu","us"]},"permissions":["docs.read","reports.*"]}],` +
	`"allowedIps":["203.0.113.0/24","2001:db8::/32"],` +
	`"rateLimits":[{"name":"second","limit":1000000000,"window":"1s"},{"name":"hour","limit":1000000000,"window":"1h"}],` +
	`"credits":{"remaining":1000000000000}}`

// full makes keys with everything on, and returns a question about each that uses it all.
func (w *World) full(ctx context.Context, s *running) ([][]byte, error) {
	requests := make([][]byte, 64)
	for i := range requests {
		secret, err := w.create(ctx, s, everything)
		if err != nil {
			return nil, err
		}
		requests[i] = post("/v1/verify", w.Verifier,
			`{"key":"`+secret+`","permissions":["docs.read"],"scope":{"region":"eu"},"ip":"203.0.113.9","cost":1}`)
	}
	return requests, nil
}

// create makes a key through the API and returns its secret.
func (w *World) create(ctx context.Context, s *running, key string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://"+s.address+"/v1/organizations/"+w.Organization+"/api-keys", strings.NewReader(key))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+w.Root)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var made struct {
		Secret string `json:"secret"`
		Detail string `json:"detail"` // of a refusal
	}
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("%s: %s", answer.Status, made.Detail)
	}
	return made.Secret, nil
}

// answerSize returns the size of the body that a request is answered with.
func (b *bench) answerSize(ctx context.Context, l load) (int, error) {
	l.connections = 1
	out, err := l.run(ctx, time.Millisecond)
	if err != nil {
		return 0, err
	}
	return out.bodySize, out.check()
}

// path returns that of a file of the run; it is short enough for a UNIX socket.
func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }
