package client_test

import (
	"net/http"
	"testing"

	"keyward"
	"keyward/client"
	"keyward/keywardtest"
)

// connect starts a server and returns a client of it that is its root operator.
func connect(t *testing.T) *client.Client {
	t.Helper()
	kw := keywardtest.New(t)
	return open(t, kw.URL, kw.RootToken)
}

func open(t *testing.T, address, token string) *client.Client {
	t.Helper()
	c, err := client.New(address, keyward.ForeignSecret(token))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// must unwraps what may not fail.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func organization(t *testing.T, c *client.Client) keyward.Organization {
	t.Helper()
	return must(c.CreateOrganization(t.Context(), client.NewOrganization{Name: "Acme"}))(t)
}

// A network answers requests without one.
type network func(*http.Request) (*http.Response, error)

func (n network) RoundTrip(r *http.Request) (*http.Response, error) { return n(r) }
