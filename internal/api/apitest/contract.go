package apitest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
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

	base    string                           // the path of the server, without a slash at the end
	locate  func(path string) (string, bool) // from a request's path to the document's
	partial bool                             // the API has more than the document says
	loose   bool                             // requests are not looked at
	formats []openapi3.SchemaValidationOption
	seen    *ledger
}

// ledger is the answers that were seen, as [Contract.Unseen] names them.
type ledger struct {
	mu      sync.Mutex
	answers map[string]bool
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
	base := ""
	if len(doc.Servers) > 0 {
		server, err := url.Parse(doc.Servers[0].URL)
		if err != nil {
			t.Fatalf("the contract's server: %v", err)
		}
		base = strings.TrimSuffix(server.Path, "/")
	}
	return &Contract{
		Document: doc,
		base:     base,
		locate:   func(path string) (string, bool) { return strings.CutPrefix(path, base) },
		seen:     &ledger{answers: map[string]bool{}},
	}
}

// Answers returns the same contract for tests that ask what the document refuses and
// the server takes on purpose: only answers are held against it.
func (c *Contract) Answers() *Contract {
	loose := *c
	loose.loose = true
	return &loose
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
	return &http.Client{Transport: &transport{t, c, http.DefaultTransport}, CheckRedirect: asItIs}
}

// Unseen returns the documented answers that no exchange has had so far, each as the
// id of the operation and the status: "createKey 409".
func (c *Contract) Unseen() []string {
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	var unseen []string
	for _, item := range c.Document.Paths.Map() {
		for _, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				if answer := operation.OperationID + " " + status; !c.seen.answers[answer] {
					unseen = append(unseen, answer)
				}
			}
		}
	}
	slices.Sort(unseen)
	return unseen
}

// HasSeenAll fails the test for each documented answer that no exchange has had so far,
// but for those of which unreached, told as [Contract.Unseen] names them, says that they
// cannot be had.
func (c *Contract) HasSeenAll(t testing.TB, unreached func(answer string) bool) {
	t.Helper()
	for _, answer := range c.Unseen() {
		if !unreached(answer) {
			t.Errorf("no exchange has had the documented answer %s", answer)
		}
	}
}

func (c *Contract) note(operation *openapi3.Operation, status int) {
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	c.seen.answers[fmt.Sprintf("%s %d", operation.OperationID, status)] = true
}

// transport holds exchanges against a contract.
type transport struct {
	t        testing.TB
	contract *Contract
	next     http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (tr *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, err := drain(r.Body)
	if err != nil {
		return nil, err
	}
	forward := r.Clone(r.Context())
	forward.Body = io.NopCloser(bytes.NewReader(sent))
	response, err := tr.next.RoundTrip(forward)
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
	item, route, parameters := c.route(r)
	if route == nil {
		return c.strange(item, response, received)
	}
	c.note(route.Operation, response.StatusCode)
	if c.partial && response.StatusCode >= http.StatusBadRequest &&
		route.Operation.Responses.Status(response.StatusCode) == nil {
		return c.strange(item, response, received)
	}
	asked := r.Clone(r.Context())
	asked.Body = io.NopCloser(bytes.NewReader(sent))
	input := &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: parameters, Route: route, Options: c.options(),
	}
	var found []error
	err := openapi3filter.ValidateRequest(r.Context(), input)
	if err != nil && response.StatusCode < http.StatusBadRequest && !c.loose {
		found = append(found, fmt.Errorf("the server accepts what the contract refuses: %w", err))
	}
	if err := answered(input, response, received); err != nil {
		found = append(found, err)
	}
	return found
}

func (c *Contract) options() *openapi3filter.Options {
	return &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true,
		RejectWhenRequestBodyNotSpecified: true, IncludeResponseStatus: true,
		ExcludeReadOnlyValidations: c.partial, SchemaValidationOptions: c.formats,
	}
}

// answered holds an answer against what the operation may answer.
func answered(input *openapi3filter.RequestValidationInput, response *http.Response, received []byte) error {
	documented := input.Route.Operation.Responses.Status(response.StatusCode)
	if documented == nil {
		documented = input.Route.Operation.Responses.Default()
	}
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
// form of one of the document's errors, of the path's if it has the path.
func (c *Contract) strange(item *openapi3.PathItem, response *http.Response, received []byte) []error {
	if response.StatusCode < http.StatusBadRequest {
		if c.partial {
			return nil
		}
		return []error{fmt.Errorf("the contract has no such operation")}
	}
	if response.StatusCode == http.StatusMethodNotAllowed && response.Header.Get("Allow") == "" {
		return []error{fmt.Errorf("the answer does not say which methods are allowed")}
	}
	if response.Request.Method == http.MethodHead {
		return nil
	}
	var last error
	for _, one := range c.errors(item) {
		operation := &openapi3.Operation{Responses: openapi3.NewResponses(openapi3.WithStatus(response.StatusCode, one))}
		input := &openapi3filter.RequestValidationInput{
			Request: response.Request,
			Route:   &routers.Route{Spec: c.Document, Operation: operation}, Options: &openapi3filter.Options{},
		}
		if last = answered(input, response, received); last == nil {
			return nil
		}
	}
	if last == nil {
		return nil
	}
	return []error{fmt.Errorf("the answer is none of the contract's errors: %w", last)}
}

// errors returns the forms of errors of a path, or, for one that the document does not
// have, of the whole.
func (c *Contract) errors(item *openapi3.PathItem) []*openapi3.ResponseRef {
	var all []*openapi3.ResponseRef
	if item == nil || !c.partial {
		return slices.Collect(maps.Values(c.Document.Components.Responses))
	}
	for _, operation := range item.Operations() {
		for status, response := range operation.Responses.Map() {
			if status == "default" || status >= "400" {
				all = append(all, response)
			}
		}
	}
	return all
}

// route finds the operation that a request is for, and the path's item; they are nil
// if there are none. HEAD is GET.
func (c *Contract) route(r *http.Request) (*openapi3.PathItem, *routers.Route, map[string]string) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	path, ok := c.locate(r.URL.EscapedPath())
	if !ok {
		return nil, nil, nil
	}
	var known *openapi3.PathItem
	for _, template := range c.templates() {
		parameters, ok := match(template, path)
		if !ok {
			continue
		}
		item := c.Document.Paths.Value(template)
		if item.GetOperation(method) == nil {
			known = item
			continue
		}
		return item, &routers.Route{
			Spec: c.Document, Path: template, PathItem: item, Method: method, Operation: item.GetOperation(method),
		}, parameters
	}
	return known, nil, nil
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
