package rebilly_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"keyward/internal/api/rebilly"
	"keyward/keywardtest"
)

const (
	password   = "correct horse battery staple"
	newOne     = "another horse battery staple"
	mediaJSON  = "application/json"
	unsignable = `{"status":401,"title":"Unauthorized","detail":"Invalid credentials used"}`
)

// person makes an operator who can sign in, of an organization, or of the whole
// deployment if it is "". It returns the id and the credential.
func (w world) person(email, role, organization string) (id, credential string) {
	w.Helper()
	of := "null"
	if organization != "" {
		of = `"` + organization + `"`
	}
	var made struct {
		Operator struct{ ID string }
		Secret   string
	}
	w.Native("POST", "/v1/operators", fmt.Sprintf(`{"name": "person", "role": %q, "organizationId": %s, "email": %q, "password": %q}`,
		role, of, email, password), &made)
	return made.Operator.ID, made.Secret
}

// signIn asks for a session. More members of the body begin with a comma.
func (w world) signIn(email, password, more string) answer {
	w.Helper()
	return w.do("POST", "/rebilly/signin", fmt.Sprintf(`{"email":%q,"password":%q%s}`, email, password, more), "Content-Type", mediaJSON)
}

type session struct {
	ID, Token, UserID                     string
	Permissions                           []string
	CreatedTime, UpdatedTime, ExpiredTime time.Time
	Memberships                           []struct {
		Organization, User struct{ ID string }
		IsOwner            bool
	}
	Links []struct{ Rel, Href string } `json:"_links"`
}

// session signs a person in.
func (w world) session(email string) session {
	w.Helper()
	a := w.signIn(email, password, "")
	var s session
	if err := json.Unmarshal([]byte(a.Body), &s); err != nil || a.Status != 201 {
		w.Fatalf("sign in: %d %s", a.Status, a.Body)
	}
	return s
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func TestAPersonSignsInAndIsWhoItIsOnThisSurfaceOnly(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	k := w.reader(organization)
	id, _ := w.person("person@example.com", "viewer", organization)

	a := w.signIn("PERSON@example.com", password, `,"oneTimePassword":"123456","unknown":1`)
	var s session
	if err := json.Unmarshal([]byte(a.Body), &s); err != nil || a.Status != 201 {
		t.Fatalf("sign in: %d %s", a.Status, a.Body)
	}
	home := "/rebilly/organizations/" + organization
	if a.Header.Get("Location") != home || len(s.Links) != 1 || s.Links[0].Href != home ||
		!strings.HasPrefix(a.Header.Get("Keyward-Propagation"), "seq=") || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the session leads to %v with %v", s.Links, a.Header)
	}
	if life := s.ExpiredTime.Sub(s.CreatedTime); life < 59*time.Minute || life > time.Hour || !s.UpdatedTime.Equal(s.CreatedTime) {
		t.Errorf("the session lasts from %s to %s", s.CreatedTime, s.ExpiredTime)
	}
	if s.UserID != id || !strings.HasPrefix(s.ID, "tok_") || len(s.Memberships) != 1 ||
		s.Memberships[0].Organization.ID != organization || s.Memberships[0].User.ID != id || s.Memberships[0].IsOwner {
		t.Errorf("the session is %+v", s)
	}
	if want := "[GetApiKeyCollection GetApiKey GetOrganizationCollection GetOrganization]"; fmt.Sprint(s.Permissions) != want {
		t.Errorf("the permissions are %v, want %s", s.Permissions, want)
	}

	for path, status := range map[string]int{
		"/rebilly/api-keys":         200,
		"/rebilly/api-keys/" + k.ID: 200,
		home + "/api-keys":          200,
		home:                        200,
		"/rebilly/organizations/org_none/api-keys":        404,
		"/v1/organizations/" + organization + "/api-keys": 401,
		"/v1/operators": 401,
		"/gjirafa/api/organizations/" + organization + "/api-keys": 401,
		"/aerospike/v2/api-keys":                                   401,
	} {
		if got := w.get(path, bearer(s.Token)...); got.Status != status {
			t.Errorf("GET %s = %d %s, want %d", path, got.Status, got.Body, status)
		}
	}
	var verdict struct{ Code string }
	w.Native("POST", "/v1/verify", fmt.Sprintf(`{"key": %q}`, s.Token), &verdict)
	if verdict.Code != "not_found" {
		t.Errorf("as a key the session is %s", verdict.Code)
	}
	if got := w.do("POST", "/rebilly/api-keys", `{"description":"x"}`, append(bearer(s.Token), "Content-Type", mediaJSON)...); got.Status != 403 {
		t.Errorf("a viewer makes a key: %d %s", got.Status, got.Body)
	}
}

func TestWhatAPersonMayDoIsInTheSession(t *testing.T) {
	w := newWorld(t, keywardtest.Options{PublicURL: "https://keys.example.com"})
	organization := w.organization(`{"name": "acme"}`)
	for role, want := range map[string]string{"owner": "[*]", "admin": "[*]", "editor": "[*]"} {
		w.person(role+"@example.com", role, organization)
		if got := w.session(role + "@example.com"); fmt.Sprint(got.Permissions) != want || got.Memberships[0].IsOwner != (role == "owner") {
			t.Errorf("the session of an %s is %+v", role, got)
		}
	}
	w.person("everywhere@example.com", "owner", "")
	s := w.session("everywhere@example.com")
	if len(s.Memberships) != 0 || s.Links[0].Href != "https://keys.example.com/rebilly/organizations" {
		t.Errorf("the session of an owner of everything is %+v", s)
	}
	if got := w.get("/rebilly/organizations/"+organization+"/api-keys", bearer(s.Token)...); got.Status != 200 {
		t.Errorf("it reads an organization: %d %s", got.Status, got.Body)
	}
}

func TestASessionLastsAsLongAsIsAskedForWithinADay(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	w.person("person@example.com", "viewer", "")
	for what, test := range map[string]struct {
		in     time.Duration
		status int
	}{
		"in the past": {-time.Hour, 422}, "now": {0, 422}, "in two minutes": {2 * time.Minute, 201},
		"in 23 hours": {23 * time.Hour, 201}, "in 25 hours": {25 * time.Hour, 422},
	} {
		end := time.Now().Add(test.in).UTC().Truncate(time.Second)
		a := w.signIn("person@example.com", password, fmt.Sprintf(`,"expiredTime":%q`, end.Format(time.RFC3339)))
		var s session
		_ = json.Unmarshal([]byte(a.Body), &s)
		if a.Status != test.status || a.Status == 201 && !s.ExpiredTime.Equal(end) || a.Status == 422 && !strings.Contains(a.Body, `"field":"expiredTime"`) {
			t.Errorf("until %s: %d %s", what, a.Status, a.Body)
		}
	}
}

func TestWhatIsNoAttemptToSignIn(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	invalid := func(detail string, fields ...string) string {
		return fmt.Sprintf(`{"status":422,"title":"Validation failed","detail":%q,"invalidFields":[%s]}`, detail, strings.Join(fields, ","))
	}
	for body, want := range map[string]string{
		`{}`: invalid("email is required (and 1 more)",
			`{"field":"email","message":"is required"}`, `{"field":"password","message":"is required"}`),
		`{"email":null,"password":""}`: invalid("email is required (and 1 more)",
			`{"field":"email","message":"is required"}`, `{"field":"password","message":"is required"}`),
		`{"email":"a@b","password":1}`: invalid("password must be a string, not a number",
			`{"field":"password","message":"must be a string, not a number"}`),
		`{"email":"a@b","password":"x","oneTimePassword":"12345a"}`: invalid("oneTimePassword must be six digits",
			`{"field":"oneTimePassword","message":"must be six digits"}`),
		`{"email":"a@b","password":"x","expiredTime":"tomorrow"}`: invalid(
			"expiredTime is not an RFC 3339 date-time such as 2026-01-31T09:30:00Z",
			`{"field":"expiredTime","message":"is not an RFC 3339 date-time such as 2026-01-31T09:30:00Z"}`),
	} {
		w.do("POST", "/rebilly/signin", body, "Content-Type", mediaJSON).expect(t, 422, want)
	}
	for what, test := range map[string]struct {
		body, media string
		status      int
	}{
		"a body that is no JSON": {`{"email":`, mediaJSON, 400}, "a list": {`[]`, mediaJSON, 400}, "nothing": {"", mediaJSON, 400},
		"a form": {"email=a&password=b", "application/x-www-form-urlencoded", 415},
		"much":   {`{"email":"` + strings.Repeat("x", 70_000) + `"}`, mediaJSON, 413},
	} {
		if got := w.do("POST", "/rebilly/signin", test.body, "Content-Type", test.media); got.Status != test.status {
			t.Errorf("%s: %d %s, want %d", what, got.Status, got.Body, test.status)
		}
	}
	if got := w.get("/rebilly/signin"); got.Status != 405 || got.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", got.Status, got.Header.Get("Allow"))
	}
}

func TestAFailedAttemptSaysNothing(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	w.person("known@example.com", "viewer", "")
	for _, attempt := range [][2]string{
		{"known@example.com", newOne}, {"unknown@example.com", password}, {"known@example.com ", password},
	} {
		w.signIn(attempt[0], attempt[1], "").expect(t, 401, unsignable)
	}
}

// throttled guesses until an account is closed.
func (w world) throttled(email string) {
	w.Helper()
	for range 10 {
		w.signIn(email, newOne, "").expect(w, 401, unsignable)
	}
}

func TestGuessesAreThrottledAlsoAfterARestart(t *testing.T) {
	options := keywardtest.Options{Data: t.TempDir()}
	w := newWorld(t, options)
	w.person("known@example.com", "viewer", "")
	w.throttled("known@example.com")
	w.throttled("unknown@example.com")
	if err := w.Stop(); err != nil {
		t.Fatal(err)
	}
	w = newWorld(t, options)
	var bodies []string
	for _, email := range []string{"known@example.com", "unknown@example.com"} {
		a := w.signIn(email, password, "")
		seconds := 0
		if _, err := fmt.Sscan(a.Header.Get("Retry-After"), &seconds); err != nil || a.Status != 429 || seconds < 800 || seconds > 900 {
			t.Errorf("%s: %d %v %s", email, a.Status, a.Header, a.Body)
		}
		if a.Header.Get("X-RateLimit-Retry-After") == "" {
			t.Errorf("%s: the vendor's header is missing", email)
		}
		bodies = append(bodies, a.Body)
	}
	if bodies[0] != bodies[1] || !strings.Contains(bodies[0], `"title":"Rate Limit Exceeded"`) {
		t.Errorf("the refusals are %q", bodies)
	}
}

func TestALogoutEndsTheTokenOnTheNextRequest(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	reader := w.reader(organization)
	w.person("person@example.com", "viewer", organization)
	for who, token := range map[string]string{"a person": w.session("person@example.com").Token, "a key": w.Token(reader)} {
		other := w.session("person@example.com").Token
		list := func(token string) int { return w.get("/rebilly/api-keys", bearer(token)...).Status }
		if got := list(token); got != 200 {
			t.Fatalf("%s lists: %d", who, got)
		}
		a := w.do("POST", "/rebilly/logout", "", bearer(token)...)
		if a.Status != 204 || a.Body != "" || !strings.HasPrefix(a.Header.Get("Keyward-Propagation"), "seq=") {
			t.Errorf("%s logs out: %d %s %v", who, a.Status, a.Body, a.Header)
		}
		if got := list(token); got != 401 {
			t.Errorf("%s lists after it logged out: %d", who, got)
		}
		w.do("POST", "/rebilly/logout", "", bearer(token)...).expect(t, 401, unauthorized)
		w.do("POST", "/rebilly/logout", "", append(bearer(token), "REB-APIKEY", reader.Secret)...).expect(t, 401, unauthorized)
		var verdict struct{ Code string }
		w.Native("POST", "/v1/verify", fmt.Sprintf(`{"key": %q}`, token), &verdict)
		if verdict.Code != "not_found" {
			t.Errorf("as a key the token of %s is %s", who, verdict.Code)
		}
		if got := w.get("/v1/organizations/"+organization+"/api-keys", bearer(token)...).Status; got != 401 {
			t.Errorf("%s lists natively after it logged out: %d", who, got)
		}
		if got := list(other); got != 200 {
			t.Errorf("another session ended too: %d", got)
		}
	}
	if got := w.get("/rebilly/api-keys", "REB-APIKEY", reader.Secret).Status; got != 200 {
		t.Errorf("the key itself ended: %d", got)
	}
}

func TestALogoutSurvivesARestart(t *testing.T) {
	options := keywardtest.Options{Data: t.TempDir()}
	w := newWorld(t, options)
	w.person("person@example.com", "viewer", "")
	ended, other := w.session("person@example.com").Token, w.session("person@example.com").Token
	w.do("POST", "/rebilly/logout", "", bearer(ended)...)
	if err := w.Stop(); err != nil {
		t.Fatal(err)
	}
	w = newWorld(t, options)
	for token, status := range map[string]int{ended: 401, other: 200} {
		if got := w.get("/rebilly/organizations", bearer(token)...); got.Status != status {
			t.Errorf("after a restart: %d %s, want %d", got.Status, got.Body, status)
		}
	}
}

func TestAKeyCannotLogOut(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	reader := w.reader(w.organization(`{"name": "acme"}`))
	w.do("POST", "/rebilly/logout", "", "REB-APIKEY", reader.Secret).
		expect(t, 403, `{"status":403,"title":"Forbidden","detail":"Only a session can be ended, and a key is none"}`)
	w.do("POST", "/rebilly/logout", "").expect(t, 401, unauthorized)
	w.do("POST", "/rebilly/logout", "", bearer(w.RootToken)...).expect(t, 401, unauthorized)
}

func TestSessionsEndWithWhatTheyRestOn(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	for what, change := range map[string][3]string{
		"a new password":   {"PATCH", "", `{"password":"` + newOne + `"}`},
		"no password":      {"PATCH", "", `{"password":null}`},
		"another role":     {"PATCH", "", `{"role":"editor"}`},
		"another address":  {"PATCH", "", `{"email":"other@example.com"}`},
		"being disabled":   {"PATCH", "", `{"enabled":false}`},
		"a new credential": {"POST", "/rotate", ""},
		"being deleted":    {"DELETE", "", ""},
	} {
		email := strings.ReplaceAll(what, " ", ".") + "@example.com"
		id, _ := w.person(email, "viewer", "")
		token := w.session(email).Token
		if got := w.get("/rebilly/organizations", bearer(token)...); got.Status != 200 {
			t.Fatalf("before %s: %d %s", what, got.Status, got.Body)
		}
		w.Native(change[0], "/v1/operators/"+id+change[1], change[2], nil)
		w.get("/rebilly/organizations", bearer(token)...).expect(t, 401, unauthorized)
		w.do("POST", "/rebilly/logout", "", bearer(token)...).expect(t, 401, unauthorized)
	}
}

func TestAPersonOfTheWholeDeploymentNamesAnOrganization(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	organization := w.organization(`{"name": "acme"}`)
	w.person("person@example.com", "viewer", "")
	token := w.session("person@example.com").Token
	w.get("/rebilly/api-keys", bearer(token)...).expect(t, 404, notFound)
	if got := w.get("/rebilly/api-keys", append(bearer(token), "Organization-Id", organization)...); got.Status != 200 {
		t.Errorf("with an organization: %d %s", got.Status, got.Body)
	}
}

// lines collects what is logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func TestPasswordsAndTokensAreNotLogged(t *testing.T) {
	var log lines
	w := newWorld(t, keywardtest.Options{Log: slog.New(slog.NewTextHandler(io.Writer(&log), &slog.HandlerOptions{Level: slog.LevelDebug}))})
	w.person("person@example.com", "viewer", "")
	w.signIn("person@example.com", newOne, "")
	token := w.session("person@example.com").Token
	w.do("POST", "/rebilly/logout", "", bearer(token)...)
	if err := w.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{password, newOne, "battery", token, strings.Split(token, ".")[1]} {
		if strings.Contains(log.text.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if !strings.Contains(log.text.String(), "POST /rebilly/signin") {
		t.Error("the log does not hold the route")
	}
}

func TestTheRoutesForPeopleAreInTheTable(t *testing.T) {
	open := map[string]bool{}
	for _, route := range rebilly.Routes() {
		open[route.Pattern] = route.Open
	}
	if isOpen, ok := open["POST /rebilly/signin"]; !ok || !isOpen {
		t.Error("signing in takes a credential")
	}
	if isOpen, ok := open["POST /rebilly/logout"]; !ok || isOpen {
		t.Error("logging out takes none")
	}
}
