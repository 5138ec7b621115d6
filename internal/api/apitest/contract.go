package apitest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Contract is an OpenAPI document that exchanges are held against. It is safe for
// concurrent use.
type Contract struct {
	// Document is the document itself, for tests that compare it with the code.
	Document *openapi3.T
	base     string // the path of its first server, without a slash at the end

	mu   sync.Mutex
	seen map[string]bool // answers, as Unseen names them
}

// Load reads a document, and fails the test if it is not a valid one, its examples
// included.
func Load(t testing.TB, document []byte) *Contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatalf("read the contract: %v", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatalf("the contract is not valid: %v", err)
	}
	c := &Contract{Document: doc, seen: map[string]bool{}}
	if len(doc.Servers) > 0 {
		server, err := url.Parse(doc.Servers[0].URL)
		if err != nil {
			t.Fatalf("the contract's server: %v", err)
		}
		c.base = strings.TrimSuffix(server.Path, "/")
	}
	return c
}

// Client returns an HTTP client whose exchanges are held against an OpenAPI document.
// It is [Load] and [Contract.Client].
func Client(t testing.TB, document []byte) *http.Client {
	t.Helper()
	return Load(t, document).Client(t)
}

// Client returns a client whose exchanges are held against the document. What is
// wrong is an error of the test. It follows no redirects, so that each answer is seen.
//
// A request that is accepted must be valid: one that the document refuses must be
// refused by the server too, and so must be one for a path that it does not have.
// Every answer must be documented: status, headers, media type and body.
func (c *Contract) Client(t testing.TB) *http.Client {
	return &http.Client{Transport: &transport{t: t, contract: c}, CheckRedirect: asItIs}
}

// Unseen returns the documented answers that no exchange has had so far, each as the
// id of the operation and the status: "createKey 409".
func (c *Contract) Unseen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var unseen []string
	for _, item := range c.Document.Paths.Map() {
		for _, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				if answer := operation.OperationID + " " + status; !c.seen[answer] {
					unseen = append(unseen, answer)
				}
			}
		}
	}
	slices.Sort(unseen)
	return unseen
}

func (c *Contract) note(operation *openapi3.Operation, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[fmt.Sprintf("%s %d", operation.OperationID, status)] = true
}

// transport holds exchanges against a contract.
type transport struct {
	t        testing.TB
	contract *Contract
}

// RoundTrip implements [http.RoundTripper].
func (tr *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, err := drain(r.Body)
	if err != nil {
		return nil, err
	}
	forward := r.Clone(r.Context())
	forward.Body = io.NopCloser(bytes.NewReader(sent))
	response, err := http.DefaultTransport.RoundTrip(forward)
	if err != nil {
		return nil, err
	}
	received, err := drain(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(received))
	for _, problem := range tr.contract.problems(r, sent, response, received) {
		tr.t.Errorf("%s %s: %d: %v", r.Method, r.URL.Path, response.StatusCode, problem)
	}
	return response, nil
}

func drain(body io.ReadCloser) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	defer body.Close()
	return io.ReadAll(body)
}

// problems says what of an exchange is not as the document has it.
func (c *Contract) problems(r *http.Request, sent []byte, response *http.Response, received []byte) []error {
	route, parameters := c.route(r)
	if route == nil {
		return c.strange(response, received)
	}
	c.note(route.Operation, response.StatusCode)
	asked := r.Clone(r.Context())
	asked.Body = io.NopCloser(bytes.NewReader(sent))
	input := &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true,
			RejectWhenRequestBodyNotSpecified: true, IncludeResponseStatus: true,
		},
	}
	var found []error
	err := openapi3filter.ValidateRequest(r.Context(), input)
	if err != nil && response.StatusCode < http.StatusBadRequest {
		found = append(found, fmt.Errorf("the server accepts what the contract refuses: %w", err))
	}
	if err := answered(input, response, received); err != nil {
		found = append(found, err)
	}
	return found
}

// answered holds an answer against what the operation may answer.
func answered(input *openapi3filter.RequestValidationInput, response *http.Response, received []byte) error {
	documented := input.Route.Operation.Responses.Status(response.StatusCode)
	if documented == nil {
		return fmt.Errorf("the status is not documented; body: %s", received)
	}
	if input.Request.Method == http.MethodHead {
		return nil
	}
	if len(documented.Value.Content) == 0 && len(received) > 0 {
		return fmt.Errorf("the contract has no body here: %s", received)
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: response.Header, Options: input.Options,
	}
	return openapi3filter.ValidateResponse(input.Request.Context(), answer.SetBodyBytes(received))
}

// strange holds the answer to what is not in the document against it: an error in the
// form of one of the document's errors.
func (c *Contract) strange(response *http.Response, received []byte) []error {
	if response.StatusCode < http.StatusBadRequest {
		return []error{fmt.Errorf("the contract has no such operation")}
	}
	if response.StatusCode == http.StatusMethodNotAllowed && response.Header.Get("Allow") == "" {
		return []error{fmt.Errorf("the answer does not say which methods are allowed")}
	}
	if response.Request.Method == http.MethodHead || len(c.Document.Components.Responses) == 0 {
		return nil
	}
	var last error
	for _, one := range c.Document.Components.Responses {
		operation := &openapi3.Operation{Responses: openapi3.NewResponses(openapi3.WithStatus(response.StatusCode, one))}
		input := &openapi3filter.RequestValidationInput{
			Request: response.Request,
			Route:   &routers.Route{Spec: c.Document, Operation: operation}, Options: &openapi3filter.Options{},
		}
		if last = answered(input, response, received); last == nil {
			return nil
		}
	}
	return []error{fmt.Errorf("the answer is none of the contract's errors: %w", last)}
}

// route finds the operation that a request is for, nil if there is none. HEAD is GET.
func (c *Contract) route(r *http.Request) (*routers.Route, map[string]string) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), c.base)
	if !ok {
		return nil, nil
	}
	for _, template := range c.templates() {
		parameters, ok := match(template, path)
		item := c.Document.Paths.Value(template)
		if !ok || item.GetOperation(method) == nil {
			continue
		}
		return &routers.Route{
			Spec: c.Document, Path: template, PathItem: item, Method: method, Operation: item.GetOperation(method),
		}, parameters
	}
	return nil, nil
}

// templates returns the document's paths, those with fewer parameters first.
func (c *Contract) templates() []string {
	templates := c.Document.Paths.Keys()
	slices.SortFunc(templates, func(a, b string) int { return strings.Count(a, "{") - strings.Count(b, "{") })
	return templates
}

// match returns the parameters of a path that has the form of the template.
func match(template, path string) (map[string]string, bool) {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	parameters := map[string]string{}
	for i, segment := range want {
		value, err := url.PathUnescape(have[i])
		if err != nil {
			return nil, false
		}
		name, isParameter := strings.CutPrefix(segment, "{")
		switch {
		case isParameter && value != "":
			parameters[strings.TrimSuffix(name, "}")] = value
		case segment != value:
			return nil, false
		}
	}
	return parameters, true
}
