package apitest_test

import (
	"encoding/json"
	"flag"
	"fmt"
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
				s := &site{World: apitest.World{TB: t, Server: kw}, file: file}
				s.org = s.NewOrganization(map[string]any{"name": "Organization for " + file, "recoverable": surface != "native"})
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
	apitest.World
	file string // that is to be run
	org  apitest.Place
}

// key makes a key of an organization with these rights.
func (s *site) key(organizationID string, permissions ...string) apitest.Key {
	s.Helper()
	management := `[]`
	if len(permissions) > 0 {
		management = `[{"scope": {}, "permissions": ["` + strings.Join(permissions, `", "`) + `"]}]`
	}
	return s.NewKey(organizationID,
		`{"name": "key of `+strings.Join(permissions, " and ")+`", "management": `+management+`}`)
}

func (s *site) native() []string {
	return []string{s.URL, "org=" + s.org.ID, "root=" + s.RootToken}
}

func (s *site) aerospike() []string {
	all := s.key(s.org.ID, "keys.read", "keys.create", "keys.delete", "organizations.read")
	elsewhere := s.NewOrganization(`{"name": "Elsewhere"}`)
	return []string{
		s.URL + "/aerospike",
		"org=" + s.org.ID, "keyId=" + all.ID, "clientId=" + all.ClientID, "secret=" + all.Secret,
		"token=" + s.Send("POST", "/aerospike/oauth/token", all.Form(), "Content-Type", "application/x-www-form-urlencoded").Token(s), "foreign=" + s.key(elsewhere.ID).ClientID,
	}
}

func (s *site) rebilly() []string {
	plain := s.NewOrganization(`{"name": "Plain"}`)
	elsewhere := s.NewOrganization(`{"name": "Elsewhere"}`)
	all, lister := s.key(s.org.ID, "organizations.read", "keys.*"), s.key(s.org.ID, "keys.read", "keys.reveal")
	public := s.NewKey(s.org.ID, `{"name": "browser", "type": "publishable"}`)
	return append(s.people(),
		s.URL+"/rebilly", "organization="+s.org.ID, "key="+all.Secret, "keyId="+all.ID, "token="+s.Token(all),
		"lister="+lister.Secret, "listerId="+lister.ID, "creator="+s.key(s.org.ID, "keys.create").Secret,
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
		s.Native("POST", "/v1/operators", fmt.Sprintf(`{"name": "Somebody", "role": %q, "email": %q, "password": %q%s}`,
			role, email, password, members), nil)
	}
	somebody, owner := s.org.PublicID+"@example.com", s.org.PublicID+"-owner@example.com"
	person(somebody, "admin", fmt.Sprintf(`, "organizationId": %q`, s.org.ID))
	person(owner, "owner", "")
	signedIn := s.Send("POST", "/rebilly/signin", fmt.Sprintf(`{"email": %q, "password": %q}`, owner, password),
		"Content-Type", "application/json")
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(signedIn.Body), &session); err != nil || session.Token == "" {
		s.Fatalf("sign in: %d %s", signedIn.Status, signedIn.Body)
	}
	return []string{
		"person=" + somebody, "password=" + password, "owner=" + session.Token, "ownerEmail=" + owner,
	}
}

func (s *site) gjirafa() []string {
	foreign := s.NewOrganization(`{"name": "Other"}`)
	sports, news := s.NewProject(s.org.ID, "Sports"), s.NewProject(s.org.ID, "News")
	return []string{
		s.URL + "/gjirafa", "org=" + s.org.PublicID, "orgId=" + s.org.ID,
		"owner=" + s.key(s.org.ID, "keys.*", "projects.*", "organizations.read").Secret,
		"sports=" + sports.PublicID, "sportsId=" + sports.ID, "news=" + news.PublicID, "newsId=" + news.ID,
		"foreignOrg=" + foreign.PublicID, "foreignProject=" + s.NewProject(foreign.ID, "Foreign").PublicID,
	}
}
