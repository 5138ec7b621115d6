package clienttest_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const (
	email    = "ops@example.test"
	password = "correct horse battery staple"
)

func TestRebillysOwnClient(t *testing.T) {
	w := newWorld(t)
	url := w.dialect(t, "rebilly")
	for name, recoverable := range map[string]bool{"keeps no secrets": false, "keeps secrets": true} {
		t.Run("in an organization that "+name, func(t *testing.T) {
			org := w.organization(t, name, recoverable)
			env := settings{
				"URL": url, "SECRET": org.Secret, "OWN_ORGANIZATION": org.ID, "RECOVERABLE": fmt.Sprint(recoverable),
			}
			t.Run("that it names", func(t *testing.T) {
				env["ORGANIZATION"] = org.ID
				run(t, "rebilly.mjs", env)
			})
			t.Run("that it does not name", func(t *testing.T) {
				delete(env, "ORGANIZATION")
				run(t, "rebilly.mjs", env)
			})
		})
	}
	t.Run("with a session token", func(t *testing.T) {
		org := w.organization(t, "people", false)
		w.person(t, org.ID, email, password)
		run(t, "rebilly-session.mjs", settings{
			"URL": url, "SECRET": org.Secret, "ORGANIZATION": org.ID, "EMAIL": email, "PASSWORD": password,
		})
	})
	t.Run("with what is refused", func(t *testing.T) {
		org := w.organization(t, "refusals", false)
		other := w.organization(t, "other", false)
		run(t, "rebilly-errors.mjs", settings{
			"URL": url, "SECRET": org.Secret, "ORGANIZATION": org.ID, "FOREIGN": other.ID,
		})
	})
	t.Run("beyond the limit", func(t *testing.T) {
		org := w.organization(t, "busy", false)
		w.useUp(t, org)
		run(t, "rebilly-limit.mjs", settings{"URL": url, "SECRET": org.Secret, "ORGANIZATION": org.ID})
	})
}

// The example of the contract, section 5.1, runs as it is written there. Only where the
// server is, the key and the organization are another.
func TestTheContractsExampleRunsUnchanged(t *testing.T) {
	w := newWorld(t)
	path, host := w.dialect(t, "rebilly"), w.host(t, "rebilly")
	text, err := os.ReadFile("testdata/rebilly.cjs")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ url, option string }{
		"with the organization":                           {path, "organizationId: '%s', "},
		"without the organization":                        {path, "/* none: %s */"},
		"with the organization, at the root of a host":    {host, "organizationId: '%s', "},
		"without the organization, at the root of a host": {host, "/* none: %s */"},
	} {
		t.Run(name, func(t *testing.T) {
			org := w.organization(t, "example", true)
			example := strings.NewReplacer(
				"http://127.0.0.1:8099", test.url, "sk_sandbox_…", org.Secret,
				"organizationId: 'org1', ", fmt.Sprintf(test.option, org.ID),
			).Replace(string(text))
			output, complaint, err := node(t, []byte(example), nil, "-")
			want := regexp.MustCompile(`^kw_live_\w{50} 201 3 my-key\nnew 204\n$`)
			if err != nil || !want.MatchString(output) {
				t.Errorf("it printed %q, want %s; %v\n%s", output, want, err, complaint)
			}
		})
	}
}

// useUp makes as many changes as Rebilly allows an organization in ten minutes: 3000,
// whatever comes of them.
func (w *world) useUp(t *testing.T, org organization) {
	t.Helper()
	const workers, allowed = 4, 3000
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	defer client.CloseIdleConnections()
	var left atomic.Int64
	left.Store(allowed)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for left.Add(-1) >= 0 {
				w.deleteNothing(t, client, org)
			}
		})
	}
	running.Wait()
}

func (w *world) deleteNothing(t *testing.T, client *http.Client, org organization) {
	request, err := http.NewRequest(http.MethodDelete, w.URL+"/rebilly/organizations/"+org.ID+"/api-keys/nothing", nil)
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("REB-APIKEY", org.Secret)
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("deleting nothing: %d, want 404", response.StatusCode)
	}
}
