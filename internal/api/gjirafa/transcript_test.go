package gjirafa_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"keyward"
	"keyward/internal/api/apitest"
	"keyward/internal/api/gjirafa"
	"keyward/internal/pgtest"
	"keyward/keywardtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// The transcripts are true of the vendor's API as far as it is known, so they are held
// against its document and against ours.
func TestTranscripts(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	t.Run("as the vendor has it", func(t *testing.T) { w.transcripts(t, apitest.Vendor(t, "gjirafa")) })
	t.Run("as we have it", func(t *testing.T) {
		contract := apitest.Load(t, gjirafa.Contract())
		w.transcripts(t, contract)
		t.Run("refusals", func(t *testing.T) { w.refusals(t, contract) })
		contract.HasSeenAll(t, unreached)
	})
}

func TestTranscriptsOnPostgreSQL(t *testing.T) {
	w := newWorld(t, keywardtest.Options{MasterKey: masterKey, Database: pgtest.Database(t)})
	w.transcripts(t, apitest.Load(t, gjirafa.Contract()))
}

// unreached reports whether an answer cannot be had from a healthy server, one request
// at a time, over HTTP/1.1.
func unreached(answer string) bool {
	_, status, _ := strings.Cut(answer, " ")
	return slices.Contains([]string{"409", "417", "500", "503"}, status) || answer == "postOrganization 200" // no key may
}

// tolerance is the transcript of what is taken although no document has it.
const tolerance = "tolerance"

// transcripts runs every file, each in an organization of its own.
func (w *world) transcripts(t *testing.T, contract *apitest.Contract) {
	apitest.RunAll(t, func(t *testing.T, name string) apitest.Target {
		held := contract
		if name == tolerance {
			held = contract.Answers()
		}
		return apitest.Target{URL: w.URL, Contract: held, Vars: w.variables(t)}
	})
}

// variables makes an organization that keeps secrets, as the vendor does, with two
// projects and an owner's key, and returns what transcripts call them.
func (w *world) variables(t *testing.T) map[string]string {
	t.Helper()
	other := w.NewOrganization(map[string]any{"name": "Other"})
	w.organization = other
	foreign := w.newProject("Foreign")
	w.newKey("foreign", nil)
	w.organization = w.NewOrganization(map[string]any{"name": "Acme", "recoverable": true})
	sports, news := w.newProject("Sports"), w.newProject("News")
	owner := w.newKey("owner", managing("keys.*", "projects.*", "organizations.read"))
	return map[string]string{
		"org": w.organization.PublicID, "orgId": w.organization.ID, "owner": owner.Secret,
		"sports": sports.PublicID, "sportsId": sports.ID, "news": news.PublicID, "newsId": news.ID,
		"foreignOrg": other.PublicID, "foreignProject": foreign.PublicID,
		"noOrg": keyward.NewPublicID(), "noProject": keyward.NewPublicID(),
		"long": strings.Repeat("x", 255),
	}
}

// refusals asks every route in every way that it must refuse, whatever it does.
func (w *world) refusals(t *testing.T, contract *apitest.Contract) {
	v := w.variables(t)
	nobody := w.newKey("nobody", nil)
	places := strings.NewReplacer("{organizationId}", v["org"], "{projectId}", v["sports"], "{id}", "4")
	client := contract.Client(t)
	for _, route := range gjirafa.Routes() {
		method, path, _ := strings.Cut(places.Replace(route.Pattern), " ")
		refuse := func(status int, query, body string, header ...string) {
			t.Helper()
			got := w.sendBy(client, method, path+query, body, header...)
			if got.Status != status {
				t.Errorf("%s %s%.20s: %d %.300s, want %d", method, path, query, got.Status, got.Body, status)
			}
		}
		owner := []string{"X-Api-Key", v["owner"]}
		refuse(401, "?novalue", "hello")
		refuse(400, "?novalue", "", owner...)
		refuse(414, "?q="+strings.Repeat("x", 16<<10), "", owner...)
		refuse(403, "?projectId="+v["sports"], body(method, path), "X-Api-Key", nobody.Secret, "Content-Type", "application/json")
		if method == "POST" || method == "PUT" {
			refuse(415, "", "hello", append(owner, "Content-Type", "text/plain")...)
			// Expecting 100-continue keeps a body that is refused from being sent.
			refuse(413, "", strings.Repeat(" ", 1<<20+1), append(owner, "Expect", "100-continue")...)
		}
	}
}

// body is a right body for a route, "" for none.
func body(method, path string) string {
	switch {
	case strings.HasSuffix(path, "/api-keys/projects"):
		return `{"apiKeyId": 4, "projectIds": []}`
	case method == "POST" && strings.HasSuffix(path, "/api-keys"):
		return `{"roleId": 39, "userApiKey": {"apiName": "x"}}`
	case method == "PUT" && strings.HasSuffix(path, "/api-keys"):
		return `{"id": 4}`
	case method == "POST" && strings.HasSuffix(path, "/projects"):
		return `{"name": "x"}`
	case method == "POST":
		return `{"name": "x", "addressLine1": "", "addressLine2": "", "state": "", "country": "", "city": "", "vatNumber": ""}`
	}
	return ""
}
