package gjirafa_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/api/apitest"
	"keyward/internal/api/gjirafa"
	"keyward/keywardtest"
)

func TestTheListHoldsTheKeysOfTheOrganizationAsTheVendorSpellsThem(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	sports, news, closed := w.newProject("Sports"), w.newProject("News & <more>"), w.newProject("Closed")
	reader := w.newKey("reader", managing("keys.read"))
	start, end := time.Now().Add(-time.Hour).UTC(), time.Now().Add(time.Hour).UTC()
	upload := w.newKey("upload bot", map[string]any{
		"startTime": start.Format(time.RFC3339Nano), "expireTime": end.Format(time.RFC3339Nano),
		"projectIds": []string{sports.ID, closed.ID, news.ID},
	})
	revoked, deleted := w.newKey("revoked", nil), w.newKey("deleted", nil)
	off := w.newKey("off", map[string]any{"enabled": false, "type": "publishable"})
	w.Native("POST", w.path(revoked)+"/revoke", map[string]any{}, nil)
	w.Native("DELETE", w.path(deleted), nil, nil)
	w.Native("DELETE", "/v1/organizations/"+w.organization.ID+"/projects/"+closed.ID, nil, nil)
	w.newKeyOf(w.NewOrganization(map[string]any{"name": "Other"}), "foreign", nil)

	want := holds(fmt.Sprintf(
		`[{"apiKeyId":%d,"apiKeyName":"reader","apiKey":%q,"startDate":%q,"expireDate":null,"hasExpireTime":false,"projectsNameList":[]},`,
		reader.Number, reader.Hint, reader.CreatedTime) + fmt.Sprintf(
		`{"apiKeyId":%d,"apiKeyName":"upload bot","apiKey":%q,"startDate":%q,"expireDate":%q,"hasExpireTime":true,`+
			`"projectsNameList":[{"publicId":%q,"name":"Sports"},{"publicId":%q,"name":"News & <more>"}]},`,
		upload.Number, upload.Hint, start.Format("2006-01-02T15:04:05.000Z"), end.Format("2006-01-02T15:04:05.000Z"),
		sports.PublicID, news.PublicID) + fmt.Sprintf(
		`{"apiKeyId":%d,"apiKeyName":"off","apiKey":%q,"startDate":%q,"expireDate":null,"hasExpireTime":false,"projectsNameList":[]}]`,
		off.Number, off.Hint, off.CreatedTime))

	w.list("X-Api-Key", reader.Secret).Is(t, http.StatusOK, want)
	for _, query := range []string{"?api-version=1.0", "?take=1&page=2", "?a=b;a=c"} {
		w.send("GET", "/gjirafa/api/organizations/"+w.organization.PublicID+"/api-keys"+query, "",
			"X-Api-Key", reader.Secret).Is(t, http.StatusOK, want)
	}
}

func TestProjectsAreNamedHoweverManyThereAre(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	var ids []string
	for i := range 130 {
		ids = append(ids, w.newProject(fmt.Sprintf("project %d", i)).ID)
	}
	reader := w.newKey("reader", managing("keys.read"))
	w.newKey("in many", map[string]any{"projectIds": ids[:65]})
	w.newKey("in others", map[string]any{"projectIds": ids[65:]})
	var body struct {
		Result []struct{ ProjectsNameList []struct{ Name string } }
	}
	if err := json.Unmarshal([]byte(w.list("X-Api-Key", reader.Secret).Body), &body); err != nil {
		t.Fatal(err)
	}
	names := append(body.Result[1].ProjectsNameList, body.Result[2].ProjectsNameList...)
	for i, project := range names {
		if want := fmt.Sprintf("project %d", i); project.Name != want {
			t.Errorf("project %d is called %q", i, project.Name)
		}
	}
	if len(names) != len(ids) {
		t.Errorf("%d projects are named, want %d", len(names), len(ids))
	}
}

func TestSecretsAreListedOnlyWhereTheyAreKeptAndOnlyForThoseWhoMayRevealThem(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	w.organization = w.NewOrganization(map[string]any{"name": "Recoverable", "recoverable": true})
	plain := w.newKey("plain", nil)
	strong := w.newKey("strong", managing("keys.*"))
	reader := w.newKey("reader", managing("keys.read"))
	revealer := w.newKey("revealer", managing("keys.read", "keys.reveal"))
	for name, test := range map[string]struct {
		as   key
		want []string // of apiKey, in the order of creation
	}{
		"a reader sees hints":                       {reader, []string{plain.Hint, strong.Hint, reader.Hint, revealer.Hint}},
		"a revealer sees what its rights cover":     {revealer, []string{plain.Secret, strong.Hint, reader.Secret, revealer.Secret}},
		"who has all rights about keys sees it all": {strong, []string{plain.Secret, strong.Secret, reader.Secret, revealer.Secret}},
	} {
		t.Run(name, func(t *testing.T) {
			var body struct{ Result []struct{ APIKey string } }
			if err := json.Unmarshal([]byte(w.list("X-Api-Key", test.as.Secret).Body), &body); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, item := range body.Result {
				got = append(got, item.APIKey)
			}
			if strings.Join(got, " ") != strings.Join(test.want, " ") {
				t.Errorf("apiKey = %q, want %q", got, test.want)
			}
		})
	}
}

func TestAListThatShowsSecretsIsOneAuditEvent(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	w.organization = w.NewOrganization(map[string]any{"name": "Recoverable", "recoverable": true})
	plain, revealer := w.newKey("plain", nil), w.newKey("revealer", managing("keys.read", "keys.reveal"))
	if got := w.list("X-Api-Key", revealer.Secret); got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control = %q", got.Header.Get("Cache-Control"))
	}
	var events struct {
		Items []struct {
			Action  string
			Changes []struct{ After json.RawMessage }
		}
	}
	w.Native("GET", "/v1/organizations/"+w.organization.ID+"/audit-events?sort=-seq&limit=2", nil, &events)
	if events.Items[0].Action != string(keyward.KeyRevealed) || events.Items[1].Action == string(keyward.KeyRevealed) {
		t.Fatalf("events = %+v, want one %s", events.Items, keyward.KeyRevealed)
	}
	if got := string(events.Items[0].Changes[0].After); got != fmt.Sprintf("[%q,%q]", plain.ID, revealer.ID) {
		t.Errorf("the event names %s", got)
	}
}

func TestReadingAnOrganizationsKeysTakesKeysReadInAllOfIt(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	sports := w.newProject("Sports")
	for name, test := range map[string]struct {
		with map[string]any
		want string
	}{
		"no management":       {nil, "needs the permission keys.read"},
		"an acl that says so": {map[string]any{"acl": []any{map[string]any{"scope": map[string]any{}, "permissions": []string{"*"}}}}, "needs the permission keys.read"},
		"other management":    {managing("keys.create", "keys.reveal", "projects.read"), "needs the permission keys.read"},
		"a project owner": {
			managingIn(map[string]any{"projectId": []string{sports.ID}}, "keys.*", "projects.*"),
			"needs keys.read in the whole organization",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.list("X-Api-Key", w.newKey("ci", test.with).Secret).Is(t, http.StatusForbidden, refuses("403", test.want))
		})
	}
}

func TestForeignAndUnknownOrganizationsAreTheSame(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	other := w.NewOrganization(map[string]any{"name": "Other"})
	for _, with := range []map[string]any{managing("keys.read"), nil} {
		k := w.newKey("ci", with)
		for _, id := range []string{other.ID, other.PublicID, "org_00000000000000000000000000", "zzzzzzzz", "%20", "%F0%9F%94%91"} {
			w.listOf(id, "X-Api-Key", k.Secret).Is(t, http.StatusNotFound, refuses("404", "Result Not Found"))
		}
	}
}

func TestMalformedQueriesAreNamed(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	k := w.newKey("ci", managing("keys.read"))
	for query, want := range map[string]string{
		"?a=1&a=2":                         "a is given more than once",
		"?api-version=1.0&api-version=1.0": "api-version is given more than once",
		"?a":                               `has a parameter without \"=\"`,
		"?a=%zz":                           "a has a malformed percent-escape",
	} {
		w.send("GET", "/gjirafa/api/organizations/"+w.organization.ID+"/api-keys"+query, "", "X-Api-Key", k.Secret).
			Is(t, http.StatusBadRequest, refuses("400", want))
	}
}

func TestPathsAndMethodsThatDoNotExistAreAnsweredInTheEnvelope(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	list := "/gjirafa/api/organizations/" + w.organization.ID + "/api-keys"
	for _, path := range []string{
		"/gjirafa", "/gjirafa/", "/gjirafa/api", "/gjirafa/api/", list + "/", list + "//x",
		"/gjirafa/api/organizations//api-keys", "/gjirafa/api/organizations/../organizations/x/api-keys",
	} {
		w.send("GET", path, "").Is(t, http.StatusNotFound, refuses("404", "Result Not Found"))
	}
	for _, method := range []string{"PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
		got := w.send(method, list, "")
		got.Is(t, http.StatusMethodNotAllowed, refuses("405", "this method is not allowed here"))
		if allow := got.Header.Get("Allow"); allow != "GET, HEAD, POST, PUT" {
			t.Errorf("%s: Allow = %q", method, allow)
		}
	}
}

func TestEveryErrorIsInTheEnvelope(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		want   string
	}{
		"a bug":                {keyward.Errorf(keyward.Internal, "disk is on fire"), 500, refuses("500", "Internal Server Error")},
		"an error of no kind":  {fmt.Errorf("disk is on fire"), 500, refuses("500", "Internal Server Error")},
		"a server that starts": {keyward.Errorf(keyward.Unavailable, "the server is starting"), 503, refuses("503", "Backend Fetch Failed")},
		"a query too long":     {keyward.Errorf(api.URITooLong, "the query is too long"), 414, refuses("414", "the query is too long")},
		"two faults": {
			keyward.Faults{{Pointer: "/name", Detail: "is missing"}, {Pointer: "", Detail: "has no end"}}.Err(), 400,
			refuses("400", `name is missing","has no end`),
		},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			gjirafa.WriteError(recorder, httptest.NewRequest("GET", "/gjirafa/api", nil), test.err)
			got := answer{apitest.Recorded(recorder)}
			got.hasEnvelope(t)
			got.Is(t, test.status, test.want)
		})
	}
}
