package apitest

import (
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"keyward"
)

// Command says to run a surface's transcripts against a server that somebody else
// runs: a Keyward, or the vendor's own.
type Command struct {
	// Surface is the name of its package: native, aerospike, rebilly or gjirafa.
	Surface string
	// URL is where the surface begins: https://host/rebilly of a Keyward, and whatever
	// the vendor's documents say of the vendor's. Without one the command only says which
	// variables there are to set.
	URL string
	// Files are the names of transcripts, without ".http". If there are none, all are run.
	Files []string
	// Vars are what the transcripts know of the server.
	Vars map[string]string
}

var setting = regexp.MustCompile(`^([a-z][A-Za-z0-9]*)=(.*)$`)

// ParseCommand reads a command as it is written: the surface, then the URL, names of
// files and variables (name=value) in any order. A value that begins with @ is the path
// of the file that holds it, from the root of the module, for secrets.
func ParseCommand(words []string) (Command, error) {
	if len(words) == 0 || mount(words[0]) == nil {
		return Command{}, fmt.Errorf("the first word must be native, aerospike, rebilly or gjirafa")
	}
	c := Command{Surface: words[0], Vars: map[string]string{}}
	for _, word := range words[1:] {
		set := setting.FindStringSubmatch(word)
		switch {
		case set != nil:
			value, err := valueOf(set[2])
			if err != nil {
				return Command{}, fmt.Errorf("the variable %s: %w", set[1], err)
			}
			c.Vars[set[1]] = value
		case !strings.Contains(word, "://"):
			c.Files = append(c.Files, strings.TrimSuffix(word, ".http"))
		case c.URL != "":
			return Command{}, fmt.Errorf("there are two URLs")
		default:
			c.URL = strings.TrimSuffix(word, "/")
		}
	}
	return c, nil
}

func valueOf(text string) (string, error) {
	file, kept := strings.CutPrefix(text, "@")
	if !kept {
		return text, nil
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join("..", "..", "..", file) // tests run in their own folder
	}
	content, err := os.ReadFile(file)
	return strings.TrimSpace(string(content)), err
}

// mount returns what a surface's transcripts begin their paths with, which the URL
// stands for; nil if there is no such surface.
func mount(surface string) *string {
	path, known := map[string]string{
		"native": "", "aerospike": "/aerospike", "rebilly": "", "gjirafa": "/gjirafa",
	}[surface]
	if !known {
		return nil
	}
	return &path
}

// Run runs the transcripts, which lie beside this package. Answers are held against the
// vendor's contract as well. The variables that are missing are an error of the file
// that needs them.
func (c Command) Run(t *testing.T) {
	t.Helper()
	files, err := c.files()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if c.URL == "" {
			needs, err := c.Needs(file)
			t.Log(strings.TrimSuffix(filepath.Base(file), ".http")+":", strings.Join(needs, " "))
			if err != nil {
				t.Error(err)
			}
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".http"), func(t *testing.T) {
			needs, err := c.Needs(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(needs) > 0 {
				t.Fatalf("%s needs the variables %s", filepath.Base(file), strings.Join(needs, ", "))
			}
			vars := c.madeUp()
			maps.Copy(vars, c.Vars)
			Target{URL: c.URL, Mount: *mount(c.Surface), Contract: c.contract(t), Vars: vars}.Run(t, file)
		})
	}
}

// files returns the paths of the transcripts.
func (c Command) files() ([]string, error) {
	all, err := filepath.Glob(filepath.Join("..", c.Surface, "testdata", "*.http"))
	if err != nil || len(c.Files) == 0 {
		return all, err
	}
	var wanted []string
	for _, name := range c.Files {
		i := slices.IndexFunc(all, func(file string) bool { return filepath.Base(file) == name+".http" })
		if i < 0 {
			return nil, fmt.Errorf("%s has no transcript %s", c.Surface, name)
		}
		wanted = append(wanted, all[i])
	}
	return wanted, nil
}

// contract is what is known of the surface. Only answers are held against it, since
// transcripts also ask what is wrong.
func (c Command) contract(t *testing.T) *Contract {
	if c.Surface != "native" {
		return Vendor(t, c.Surface).Answers()
	}
	document, err := os.ReadFile("../native/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	return Load(t, document).Answers()
}

// Needs returns the variables that a transcript needs and that neither it, nor the
// command, nor this package has, in the order in which it needs them.
func (c Command) Needs(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	script, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	known := c.madeUp()
	maps.Copy(known, c.Vars)
	var missing []string
	for _, name := range script.needs() {
		if _, ok := known[name]; !ok {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// madeUp are the variables that say nothing of the server.
func (c Command) madeUp() map[string]string {
	unique := strings.ToLower(rand.Text()[:8])
	vars := map[string]string{
		"unique": unique, "fifty": strings.Repeat("x", 42) + unique, "letters": keyward.NewPublicID(),
		"nowhere": "org_00000000000000000000000000", "noOrg": keyward.NewPublicID(), "noProject": keyward.NewPublicID(),
		"unknown": keyward.NewClientID(), "soon": keyward.TimeOf(time.Now().Add(time.Hour)).String(),
		"long": strings.Repeat("x", 256), "wide": strings.Repeat("x", 16<<10), "huge": strings.Repeat("x", 64<<10),
	}
	switch c.Surface {
	case "aerospike":
		vars["full"], vars["long"] = strings.Repeat("ä", 100), strings.Repeat("ä", 101)
		vars["huge"] = strings.Repeat("x", 1<<20)
	case "gjirafa":
		vars["long"] = strings.Repeat("x", 255)
	}
	return vars
}
