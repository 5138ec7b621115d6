package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// caller sends requests to a server.
type caller struct {
	url, token string
	http       *http.Client
}

func newCaller(url, token string) caller {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 2 * writers
	return caller{url: url, token: token, http: &http.Client{Transport: transport, Timeout: patience}}
}

// refusal is an answer that is not one of the 200s.
type refusal struct {
	status int
	body   string
}

func (r *refusal) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.body) }

// call sends a request, with an idempotency key unless that is "", and reads the
// whole answer.
func (c *caller) call(method, path, once string, body, into any) (http.Header, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, c.url+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	if once != "" {
		request.Header.Set("Idempotency-Key", once)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		return nil, &refusal{response.StatusCode, string(text)}
	}
	if into == nil {
		return response.Header, nil
	}
	return response.Header, json.Unmarshal(text, into)
}
