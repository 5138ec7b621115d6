package keyward_test

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "keyward"

// arrows lists, for each package, the packages of this module that it may import.
// It is the architecture: a new arrow is a design decision, made here. A package
// that stands here may still be to come; one that does not may not exist.
//
// Tests may import more, and are not looked at.
var arrows = map[string][]string{
	".":                      {}, // and the standard library only
	"internal/filter":        {"."},
	"internal/keyring":       {"."},
	"internal/token":         {"."},
	"internal/store":         {".", "internal/filter"},
	"internal/verify":        {"."},
	"internal/control":       {".", "internal/filter", "internal/keyring", "internal/store"},
	"internal/api":           {"."},
	"internal/api/native":    surface,
	"internal/api/aerospike": surface,
	"internal/api/rebilly":   surface,
	"internal/api/gjirafa":   surface,
	"internal/oauth":         {".", "internal/api", "internal/control", "internal/token", "internal/verify"},
	"internal/gateway":       {".", "internal/api", "internal/oauth", "internal/verify"},
	"internal/gateway/envoy": {".", "internal/api", "internal/gateway"},
	"internal/web":           {".", "internal/api"},
	"client":                 {"."},
	"internal/bench":         {".", "internal/control", "internal/keyring", "internal/store", "internal/verify"},
	"bench/peers":            {},
	"internal/plainhttp":     {},
	"internal/pgtest":        {},
	"internal/api/apitest":   anything,
	"keywardtest":            anything,
	"internal/server":        anything,
	"cmd/keyward":            anything,
}

var (
	// surface is what every way in may import: never another one, never the store.
	surface = []string{
		".", "internal/api", "internal/filter", "internal/token", "internal/oauth", "internal/control", "internal/verify",
	}
	anything = []string{"*"}

	// forTests may be imported by tests and by each other only.
	forTests = []string{"internal/api/apitest", "keywardtest", "internal/pgtest"}
	// program is imported by nobody.
	program = "cmd/keyward"
)

func TestArrows(t *testing.T) {
	for dir, imports := range packages(t) {
		for _, wrong := range violations(dir, imports) {
			t.Error(wrong)
		}
	}
}

// violations says what is wrong with the imports of the package in dir.
func violations(dir string, imports []string) []string {
	allowed, known := arrows[dir]
	if !known {
		return []string{fmt.Sprintf("%s has no entry in arrows: say what it may import", dir)}
	}
	var wrong []string
	for _, imported := range imports {
		target, ours := strings.CutPrefix(imported+"/", module+"/")
		target = path.Clean(target) // the root is "."
		switch {
		case !ours && dir == "." && strings.Contains(strings.Split(imported, "/")[0], "."):
			wrong = append(wrong, fmt.Sprintf("the root imports %s, beyond the standard library", imported))
		case !ours:
		case target == program:
			wrong = append(wrong, fmt.Sprintf("%s imports %s, which nobody may", dir, target))
		case slices.Contains(forTests, target) && !slices.Contains(forTests, dir):
			wrong = append(wrong, fmt.Sprintf("%s imports %s, which only tests may", dir, target))
		case !slices.Contains(allowed, "*") && !slices.Contains(allowed, target):
			wrong = append(wrong, fmt.Sprintf("%s imports %s, an arrow that the table lacks", dir, target))
		}
	}
	return wrong
}

func TestTheTableOfArrowsFindsWhatItLacks(t *testing.T) {
	for name, test := range map[string]struct {
		dir, imported string
		want          int
	}{
		"a surface may call control":             {"internal/api/native", "keyward/internal/control", 0},
		"a surface may use the vocabulary":       {"internal/web", "keyward", 0},
		"a library is nobody's arrow":            {"internal/store", "example.org/library", 0},
		"the root stands on the standard one":    {".", "net/netip", 0},
		"the root takes no library":              {".", "example.org/library", 1},
		"the root imports nothing of ours":       {".", "keyward/internal/filter", 1},
		"verify does not know control":           {"internal/verify", "keyward/internal/control", 1},
		"a surface does not know the store":      {"internal/api/native", "keyward/internal/store", 1},
		"a dialect does not know another":        {"internal/api/rebilly", "keyward/internal/api/native", 1},
		"a new package needs an entry":           {"internal/surprise", "fmt", 1},
		"the program wires everything":           {"cmd/keyward", "keyward/internal/store", 0},
		"the program does not run test packages": {"cmd/keyward", "keyward/keywardtest", 1},
		"test packages may use each other":       {"keywardtest", "keyward/internal/pgtest", 0},
		"nobody imports the program":             {"keywardtest", "keyward/cmd/keyward", 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := violations(test.dir, []string{test.imported}); len(got) != test.want {
				t.Errorf("violations(%s, %s) = %q, want %d of them", test.dir, test.imported, got, test.want)
			}
		})
	}
}

func TestNoFileIsLongerThanSixHundredLines(t *testing.T) {
	for _, file := range goFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(text, []byte("\n")); lines > 600 {
			t.Errorf("%s has %d lines: split it by noun", file, lines)
		}
	}
}

// packages returns what the code of each package imports, tests aside.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		if _, seen := imports[dir]; !seen {
			imports[dir] = []string{} // known even if it imports nothing
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(imports[dir], imported) {
				imports[dir] = append(imports[dir], imported)
			}
		}
	}
	return imports
}

// goFiles returns every Go file of this module: not what begins with a dot or an
// underscore, not testdata, not modules of their own.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && !belongs(name):
			return fs.SkipDir
		case !entry.IsDir() && strings.HasSuffix(name, ".go"):
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func belongs(dir string) bool {
	base := filepath.Base(dir)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err != nil
}
