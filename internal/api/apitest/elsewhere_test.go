package apitest_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keyward/internal/api/apitest"
	"keyward/keywardtest"
)

// The transcripts of each surface run against any server, given where it is and what is
// there. `make transcripts` runs this test with the words of a command behind -args;
// without them it runs commands against a Keyward of its own.
func TestTranscripts(t *testing.T) {
	if words := flag.Args(); len(words) > 0 {
		command, err := apitest.ParseCommand(words)
		if err != nil {
			t.Fatal(err)
		}
		command.Run(t)
		return
	}
	kw := keywardtest.New(t)
	for surface, run := range map[string]struct {
		words func(*site) []string
		files string // all that need nothing which only this server's own master key makes
	}{
		"native":    {(*site).native, "keys lists verify"},
		"aerospike": {(*site).aerospike, "keys-v1 keys-v2 pages surface token"},
		"rebilly": {
			(*site).rebilly,
			"acl addresses bare create credentials delete lenient lists organizations people put secrets sessions slash surface",
		},
		"gjirafa": {(*site).gjirafa, "dates family forms keys membership organizations projects refusals roles tolerance"},
	} {
		t.Run(surface, func(t *testing.T) {
			for _, file := range strings.Fields(run.files) {
				s := &site{T: t, Server: kw, file: file}
				s.org = s.call("POST", "/v1/organizations",
					fmt.Sprintf(`{"name": "Organization for %s", "recoverable": %t}`, file, surface != "native"))
				command, err := apitest.ParseCommand(append([]string{surface, file}, run.words(s)...))
				if err != nil {
					t.Fatal(err)
				}
				command.Run(t)
			}
		})
	}
}

// What has to be set for a surface's transcripts is written down where people look.
func TestTheVariablesOfTranscriptsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, surface := range []string{"native", "aerospike", "rebilly", "gjirafa"} {
		_, line, _ := strings.Cut(string(page), "| `"+surface+"` |")
		line, _, _ = strings.Cut(line, "\n")
		files, err := filepath.Glob("../" + surface + "/testdata/*.http")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no transcripts: %v", surface, err)
		}
		for _, file := range files {
			needs, err := apitest.Command{Surface: surface}.Needs(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range needs {
				if !strings.Contains(line, "`"+name+"`") {
					t.Errorf("CONTRIBUTING.md does not say of %s that %s needs %s", surface, filepath.Base(file), name)
				}
			}
		}
	}
}

func TestACommandNamesTheVariablesItLacks(t *testing.T) {
	command, err := apitest.ParseCommand([]string{"rebilly", "https://keys.example.com/", "organization=org_1", "create", "put.http"})
	if err != nil || command.URL != "https://keys.example.com" || !slices.Equal(command.Files, []string{"create", "put"}) {
		t.Fatalf("%+v, %v", command, err)
	}
	missing, err := command.Needs("../rebilly/testdata/create.http")
	if err != nil || !slices.Equal(missing, []string{"key", "lister"}) {
		t.Errorf("it needs %v, %v", missing, err)
	}
}

func TestACommandThatIsWrongSaysSo(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command, err := apitest.ParseCommand([]string{"gjirafa", "owner=@" + secret})
	if err != nil || command.Vars["owner"] != "s3cret" {
		t.Errorf("a value in a file: %v, %v", command.Vars, err)
	}
	for words, want := range map[string]string{
		"":                                "the first word must be",
		"https://x.example.com rebilly":   "the first word must be",
		"rebilly https://a.x https://b.x": "two URLs",
		"rebilly key=@/there/is/none":     "the variable key: ",
	} {
		if _, err := apitest.ParseCommand(strings.Fields(words)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", words, err, want)
		}
	}
}

// site is an organization on a server of which transcripts know what they are told.
type site struct {
	*testing.T
	*keywardtest.Server
	file string // that is to be run
	org  thing
}

// thing is what the native API answers, of what is needed here.
type thing struct {
	ID       string
	PublicID string
	Key      struct{ ID, ClientID string }
	Secret   string
	Token    string `json:"access_token"`
	Session  string `json:"token"`
}

// call makes a request as root.
func (s *site) call(method, path, body string) thing {
	s.Helper()
	request, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(path, "/v1/") {
		request.Header.Set("Authorization", "Bearer "+s.RootToken)
	}
	return s.answered(http.DefaultClient.Do(request))
}

func (s *site) answered(response *http.Response, err error) (made thing) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode > 299 || json.Unmarshal(body, &made) != nil {
		s.Fatalf("%s %v: %s %s", response.Request.URL, err, response.Status, body)
	}
	return made
}

// key makes a key of an organization with these rights.
func (s *site) key(organizationID string, permissions ...string) thing {
	s.Helper()
	management := `[]`
	if len(permissions) > 0 {
		management = `[{"scope": {}, "permissions": ["` + strings.Join(permissions, `", "`) + `"]}]`
	}
	return s.call("POST", "/v1/organizations/"+organizationID+"/api-keys",
		`{"name": "key of `+strings.Join(permissions, " and ")+`", "management": `+management+`}`)
}

// token exchanges a key for an access token.
func (s *site) token(endpoint string, key thing) string {
	s.Helper()
	return s.answered(http.PostForm(s.URL+endpoint, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {key.Key.ClientID}, "client_secret": {key.Secret},
	})).Token
}

func (s *site) native() []string {
	return []string{s.URL, "org=" + s.org.ID, "root=" + s.RootToken}
}

func (s *site) aerospike() []string {
	all := s.key(s.org.ID, "keys.read", "keys.create", "keys.delete", "organizations.read")
	elsewhere := s.call("POST", "/v1/organizations", `{"name": "Elsewhere"}`)
	return []string{
		s.URL + "/aerospike",
		"org=" + s.org.ID, "keyId=" + all.Key.ID, "clientId=" + all.Key.ClientID, "secret=" + all.Secret,
		"token=" + s.token("/aerospike/oauth/token", all), "foreign=" + s.key(elsewhere.ID).Key.ClientID,
	}
}

func (s *site) rebilly() []string {
	plain := s.call("POST", "/v1/organizations", `{"name": "Plain"}`)
	elsewhere := s.call("POST", "/v1/organizations", `{"name": "Elsewhere"}`)
	all, lister := s.key(s.org.ID, "organizations.read", "keys.*"), s.key(s.org.ID, "keys.read", "keys.reveal")
	public := s.call("POST", "/v1/organizations/"+s.org.ID+"/api-keys", `{"name": "browser", "type": "publishable"}`)
	return append(s.people(),
		s.URL+"/rebilly", "organization="+s.org.ID, "key="+all.Secret, "keyId="+all.Key.ID, "token="+s.token("/oauth/token", all),
		"lister="+lister.Secret, "listerId="+lister.Key.ID, "creator="+s.key(s.org.ID, "keys.create").Secret,
		"deleter="+s.key(s.org.ID, "keys.delete").Secret, "publishable="+public.Secret,
		"plain="+plain.ID, "plainKey="+s.key(plain.ID, "organizations.read", "keys.*").Secret, "elsewhere="+elsewhere.ID,
	)
}

// people makes who can sign in, for the files that need them: their passwords take time.
func (s *site) people() []string {
	if s.file != "people" && s.file != "sessions" {
		return nil
	}
	const password = "correct horse battery staple"
	person := func(email, role, members string) {
		s.call("POST", "/v1/operators", fmt.Sprintf(`{"name": "Somebody", "role": %q, "email": %q, "password": %q%s}`,
			role, email, password, members))
	}
	somebody, owner := s.org.PublicID+"@example.com", s.org.PublicID+"-owner@example.com"
	person(somebody, "admin", fmt.Sprintf(`, "organizationId": %q`, s.org.ID))
	person(owner, "owner", "")
	session := s.call("POST", "/rebilly/signin", fmt.Sprintf(`{"email": %q, "password": %q}`, owner, password))
	return []string{
		"person=" + somebody, "password=" + password, "owner=" + session.Session, "ownerEmail=" + owner,
	}
}

func (s *site) gjirafa() []string {
	project := func(o thing, name string) thing {
		return s.call("POST", "/v1/organizations/"+o.ID+"/projects", fmt.Sprintf(`{"name": %q}`, name))
	}
	foreign := s.call("POST", "/v1/organizations", `{"name": "Other"}`)
	sports, news := project(s.org, "Sports"), project(s.org, "News")
	return []string{
		s.URL + "/gjirafa", "org=" + s.org.PublicID, "orgId=" + s.org.ID,
		"owner=" + s.key(s.org.ID, "keys.*", "projects.*", "organizations.read").Secret,
		"sports=" + sports.PublicID, "sportsId=" + sports.ID, "news=" + news.PublicID, "newsId=" + news.ID,
		"foreignOrg=" + foreign.PublicID, "foreignProject=" + project(foreign, "Foreign").PublicID,
	}
}
