package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"

	"keyward/keywardtest"
)

// end is one way in which what was accepted is no longer.
type end struct {
	name  string
	after string // the code of answers from then on
	// make makes a subject and returns what ends it.
	make func(*caller, *subject) (finish func() error, err error)
}

// ends are the ways, revocation first.
var ends = []end{
	{"a key is revoked", "revoked", keyEnd(http.MethodPost, "/revoke", map[string]string{"reason": "leaked"})},
	{"a key is revoked by two at once", "revoked", revokeTwice},
	{"a key loses a permission", "permission_denied", keyEnd(http.MethodPatch, "", map[string]any{"acl": []any{}})},
	{"a key is disabled", "disabled", keyEnd(http.MethodPatch, "", map[string]bool{"enabled": false})},
	{"a key is confined to an address", "ip_not_allowed", keyEnd(http.MethodPatch, "", map[string]any{"allowedIps": []string{"192.0.2.1"}})},
	{"a key is rotated without overlap", "expired", keyEnd(http.MethodPost, "/rotate", map[string]string{"overlap": "0s"})},
	{"a key is deleted", "not_found", keyEnd(http.MethodDelete, "", nil)},
	{"an organization is disabled", "disabled", organizationEnd(http.MethodPatch, map[string]bool{"enabled": false})},
	{"an organization is deleted", "revoked", organizationEnd(http.MethodDelete, nil)},
	{"an operator is rotated", "unauthenticated", operatorEnd(http.MethodPost, "/rotate")},
	{"an operator is deleted", "unauthenticated", operatorEnd(http.MethodDelete, "")},
}

// caller sends requests as the root operator.
type caller struct {
	url, token string
	http       *http.Client
	homes      []string // the paths of organizations that stay
}

func newCaller(kw *keywardtest.Server) *caller {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 2 * clients
	return &caller{url: kw.URL, token: kw.RootToken, http: &http.Client{Transport: transport}}
}

// verdict is what matters of an answer to a verification.
type verdict struct{ Code string }

type identified struct{ ID string }

// issued is what matters of an answer with something new.
type issued struct {
	Key, Operator identified
	Secret        string
}

// refusal is an answer that is not one of the 200s.
type refusal struct {
	status int
	body   string
}

func (r *refusal) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.body) }

// call sends a request and reads its answer.
func (c *caller) call(method, path string, body, into any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, c.url+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return &refusal{response.StatusCode, string(answer)}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// newOrganization makes an organization and returns its path.
func (c *caller) newOrganization() (string, error) {
	var made identified
	err := c.call(http.MethodPost, "/v1/organizations", map[string]string{"name": "Acme"}, &made)
	return "/v1/organizations/" + made.ID, err
}

// newKey makes a key in an organization, has the subject be asked about it, and
// returns its path.
func (c *caller) newKey(organization string, s *subject) (string, error) {
	grants := []any{map[string]any{"scope": map[string]any{}, "permissions": []string{"docs.read"}}}
	var made issued
	err := c.call(http.MethodPost, organization+"/api-keys", map[string]any{"name": "ci", "acl": grants}, &made)
	s.body = map[string]any{"key": made.Secret, "permissions": []string{"docs.read"}, "ip": "198.51.100.7"}
	s.ask = func() (string, error) {
		var answer verdict
		err := c.call(http.MethodPost, "/v1/verify", s.body, &answer)
		return answer.Code, err
	}
	return organization + "/api-keys/" + made.Key.ID, err
}

func keyEnd(method, path string, body any) func(*caller, *subject) (func() error, error) {
	return func(c *caller, s *subject) (func() error, error) {
		key, err := c.newKey(c.homes[rand.IntN(len(c.homes))], s)
		return func() error { return c.call(method, key+path, body, nil) }, err
	}
}

// revokeTwice ends a key twice at the same time: whichever call is answered first,
// and whether or not it was the one that changed something, the key has ended.
func revokeTwice(c *caller, s *subject) (func() error, error) {
	key, err := c.newKey(c.homes[rand.IntN(len(c.homes))], s)
	return func() error {
		answered := make(chan error, 2)
		for range cap(answered) {
			go func() { answered <- c.call(http.MethodPost, key+"/revoke", nil, nil) }()
		}
		return <-answered
	}, err
}

func organizationEnd(method string, body any) func(*caller, *subject) (func() error, error) {
	return func(c *caller, s *subject) (func() error, error) {
		organization, err := c.newOrganization()
		if err != nil {
			return nil, err
		}
		_, err = c.newKey(organization, s)
		return func() error { return c.call(method, organization, body, nil) }, err
	}
}

func operatorEnd(method, path string) func(*caller, *subject) (func() error, error) {
	return func(c *caller, s *subject) (func() error, error) {
		var made issued
		err := c.call(http.MethodPost, "/v1/operators", map[string]string{"name": "deploy", "role": "viewer"}, &made)
		as := *c
		as.token = made.Secret
		s.ask = func() (string, error) {
			err := as.call(http.MethodGet, "/v1/organizations?limit=1", nil, nil)
			if refused, ok := errors.AsType[*refusal](err); ok && refused.status == http.StatusUnauthorized {
				return "unauthenticated", nil
			}
			return "valid", err
		}
		return func() error { return c.call(method, "/v1/operators/"+made.Operator.ID+path, nil, nil) }, err
	}
}
