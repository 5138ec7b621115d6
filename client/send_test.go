package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"keyward"
	"keyward/client"
)

// failures of a network.
var (
	errUnsent = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	errBroken = io.ErrUnexpectedEOF
)

// answer is a response as the server would make it.
func answer(status int, body string, header ...string) *http.Response {
	response := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	response.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		response.Header.Set(header[i], header[i+1])
	}
	return response
}

// calls are one of each kind.
var calls = map[string]func(context.Context, *client.Client) error{
	"a read": func(ctx context.Context, c *client.Client) error {
		_, err := c.Organization(ctx, "org_1")
		return err
	},
	"a change": func(ctx context.Context, c *client.Client) error {
		_, err := c.RevokeKey(ctx, "org_1", "key_1", "")
		return err
	},
	"a deletion": func(ctx context.Context, c *client.Client) error { return c.DeleteKey(ctx, "org_1", "key_1") },
	"a question": func(ctx context.Context, c *client.Client) error {
		_, err := c.Verify(ctx, client.Question{Key: keyward.ForeignSecret("k")})
		return err
	},
}

func TestACallIsRepeatedOnlyWhereThatHelpsAndDoesNoHarm(t *testing.T) {
	all := slices.Sorted(maps.Keys(calls))
	for name, test := range map[string]struct {
		first    func() (*http.Response, error)
		repeated []string // kinds of call
	}{
		"when nobody listened":            {func() (*http.Response, error) { return nil, errUnsent }, all},
		"when the server cannot answer":   {func() (*http.Response, error) { return answer(503, ""), nil }, all},
		"when the connection broke":       {func() (*http.Response, error) { return nil, errBroken }, []string{"a change", "a read"}},
		"not when the server had a fault": {func() (*http.Response, error) { return answer(500, ""), nil }, nil},
		"not when a proxy had one":        {func() (*http.Response, error) { return answer(502, ""), nil }, nil},
		"not when it was refused":         {func() (*http.Response, error) { return answer(409, ""), nil }, nil},
		"not when there were too many":    {func() (*http.Response, error) { return answer(429, ""), nil }, nil},
		"not when the answer is garbage":  {func() (*http.Response, error) { return answer(200, "<html>"), nil }, nil},
		"not when it is to be much later": {
			func() (*http.Response, error) { return answer(503, "", "Retry-After", "3600"), nil }, nil,
		},
	} {
		for kind, make := range calls {
			t.Run(name+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					sent, keys := 0, map[string]bool{}
					c := open(t, "http://127.0.0.1", "token")
					c.HTTP = &http.Client{Transport: network(func(r *http.Request) (*http.Response, error) {
						sent++
						keys[r.Header.Get("Idempotency-Key")] = true
						if sent == 1 {
							return test.first()
						}
						return answer(200, "{}"), nil
					})}
					err := make(t.Context(), c)
					want := 1
					if slices.Contains(test.repeated, kind) {
						want = 2
					}
					garbageUnread := kind == "a deletion" && name == "not when the answer is garbage"
					if sent != want || (err == nil) != (want == 2 || garbageUnread) {
						t.Errorf("it was sent %d times, want %d; error %v", sent, want, err)
					}
					if len(keys) != 1 || keys[""] == (kind == "a change") {
						t.Errorf("the idempotency keys of the attempts are %d: %v", len(keys), keys[""])
					}
				})
			})
		}
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	for attempts, want := range map[int]int{0: 3, 1: 1, 5: 5} {
		synctest.Test(t, func(t *testing.T) {
			sent := 0
			c := open(t, "http://127.0.0.1", "token")
			c.Attempts = attempts
			c.HTTP = &http.Client{Transport: network(func(*http.Request) (*http.Response, error) {
				sent++
				return nil, errUnsent
			})}
			begun := time.Now()
			_, err := c.Organization(t.Context(), "org_1")
			if sent != want || keyward.CodeOf(err) != keyward.Unavailable || !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("with Attempts %d it was sent %d times, want %d; error %v", attempts, sent, want, err)
			}
			if passed := time.Since(begun); passed > 2*time.Second {
				t.Errorf("%d attempts took %v", sent, passed)
			}
		})
	}
}

func TestTheServerSaysHowLongToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		c := open(t, "http://127.0.0.1", "token")
		c.HTTP = &http.Client{Transport: network(func(*http.Request) (*http.Response, error) {
			if sent++; sent == 1 {
				return answer(503, "", "Retry-After", "7"), nil
			}
			return answer(200, "{}"), nil
		})}
		begun := time.Now()
		if _, err := c.Organization(t.Context(), "org_1"); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(begun); waited != 7*time.Second {
			t.Errorf("it waited %v, want 7s", waited)
		}
	})
}

func TestTheContextEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, "http://127.0.0.1", "token")
		c.HTTP = &http.Client{Transport: network(func(*http.Request) (*http.Response, error) {
			return answer(503, "", "Retry-After", "9"), nil
		})}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		_, err := c.Organization(ctx, "org_1")
		if waited := time.Since(begun); waited != time.Second || keyward.CodeOf(err) != keyward.Unavailable {
			t.Errorf("it waited %v, and then: %v", waited, err)
		}
	})
}

func TestACancelledCallSaysSo(t *testing.T) {
	c := connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Organization(ctx, "org_1"); !errors.Is(err, context.Canceled) {
		t.Errorf("Organization: %v, want %v", err, context.Canceled)
	}
}

func TestTheCredentialStaysOnThisMachineWithoutTLS(t *testing.T) {
	for address, want := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost": true,
		"http://keys.localhost:8080": true, "http://127.9.9.9": true, "https://keys.example.com": true,
		"http://keys.example.com": false, "http://192.0.2.1": false, "http://localhost.example.com": false,
		"http://127.0.0.1.example.com": false, "http://0.0.0.0": false, "http://[::ffff:192.0.2.1]": false,
	} {
		sent := false
		c := open(t, address, "token")
		c.HTTP = &http.Client{Transport: network(func(*http.Request) (*http.Response, error) {
			sent = true
			return answer(200, "{}"), nil
		})}
		if _, err := c.Organization(t.Context(), "org_1"); sent != want || (err == nil) != want {
			t.Errorf("to %s: sent %v, want %v; error %v", address, sent, want, err)
		}
		c.InsecureHTTP = true
		if _, err := c.Organization(t.Context(), "org_1"); err != nil {
			t.Errorf("to %s, allowed: %v", address, err)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	for _, status := range []int{301, 302, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(other.URL+"/secret-path", status))
		c := open(t, server.URL, "token")
		c.HTTP = server.Client()
		_, err := c.Organization(t.Context(), "org_1")
		if err == nil || reached || !strings.Contains(err.Error(), other.URL) {
			t.Errorf("%d: the other host was reached: %v; error %v", status, reached, err)
		}
		server.Close()
	}
}

func TestTheServersAddressMayHaveAPath(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1":          "/v1/organizations/org_1",
		"http://127.0.0.1/":         "/v1/organizations/org_1",
		"http://127.0.0.1/keyward/": "/keyward/v1/organizations/org_1",
		"http://127.0.0.1/a%2Fb":    "/a%2Fb/v1/organizations/org_1",
	} {
		var got string
		c := open(t, address, "token")
		c.HTTP = &http.Client{Transport: network(func(r *http.Request) (*http.Response, error) {
			got = r.URL.EscapedPath()
			return answer(200, "{}"), nil
		})}
		if _, err := c.Organization(t.Context(), "org_1"); err != nil || got != want {
			t.Errorf("below %s the path is %s, want %s; error %v", address, got, want, err)
		}
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
func (endless) Close() error { return nil }

func TestSizesAreBounded(t *testing.T) {
	c := open(t, "http://127.0.0.1", "token")
	c.HTTP = &http.Client{Transport: network(func(*http.Request) (*http.Response, error) {
		response := answer(200, "")
		response.Body = endless{}
		return response, nil
	})}
	if _, err := c.Organization(t.Context(), "org_1"); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("an endless answer: %v", err)
	}
	_, err := c.CreateKey(t.Context(), "org_1", client.NewKey{Name: strings.Repeat("x", 2<<20)})
	if keyward.CodeOf(err) != keyward.Invalid {
		t.Errorf("a request of two megabytes: %v", err)
	}
}

func TestNobodyGetsInByAnAnswerThatIsNone(t *testing.T) {
	for name, body := range map[string]string{
		"valid, but not found":   `{"valid":true,"code":"not_found"}`,
		"valid without a code":   `{"valid":true}`,
		"a code without valid":   `{"code":"valid"}`,
		"a code of the future":   `{"valid":true,"code":"perhaps"}`,
		"another kind of answer": `"welcome"`,
		"no JSON at all":         "it works!",
		"nothing":                "",
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, "http://127.0.0.1", "token")
			c.HTTP = &http.Client{Transport: network(func(*http.Request) (*http.Response, error) {
				return answer(200, body), nil
			})}
			verdict, err := c.Verify(t.Context(), client.Question{Key: keyward.ForeignSecret("k")})
			if err == nil || verdict.Valid || verdict.Code != keyward.Unknown {
				t.Errorf("Verify = %+v, %v", verdict, err)
			}
		})
	}
}

func TestErrorsThatAreNotKeywards(t *testing.T) {
	for name, test := range map[string]struct {
		answer *http.Response
		code   keyward.Code
	}{
		"a proxy's own page":        {answer(502, "<html>token-of-the-test"), keyward.Unavailable},
		"JSON of something else":    {answer(401, `{"error":"token-of-the-test"}`), keyward.Unauthenticated},
		"problems that lack a code": {answer(404, `{"detail":"x"}`, "Content-Type", "application/problem+json"), keyward.NotFound},
		"the credential, repeated": {
			answer(403, `{"code":"forbidden","detail":"not token-of-the-test"}`, "Content-Type", "application/problem+json"),
			keyward.Forbidden,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, "http://127.0.0.1", "token-of-the-test")
			c.HTTP = &http.Client{Transport: network(func(*http.Request) (*http.Response, error) { return test.answer, nil })}
			_, err := c.Organization(t.Context(), "org_1")
			refused, ok := errors.AsType[*client.Error](err)
			if !ok || refused.Code != test.code || refused.Status != test.answer.StatusCode {
				t.Fatalf("the error is %v", err)
			}
			if strings.Contains(fmt.Sprintf("%+v %v", refused, refused.Errors), "token-of-the-test") {
				t.Errorf("the credential shows in %+v", refused)
			}
		})
	}
}
