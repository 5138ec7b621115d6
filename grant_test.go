package keyward_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"keyward"
)

func TestPermissionTruthTable(t *testing.T) {
	table, err := os.ReadFile("testdata/permissions.tsv")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i, line := range strings.Split(strings.TrimSuffix(string(table), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, "\t")
		if len(columns) != 5 {
			t.Fatalf("line %d has %d columns, want 5", i+1, len(columns))
		}
		question := strings.Join(columns[:3], "\t")
		if before := seen[question]; before != 0 {
			t.Errorf("line %d asks what line %d asks", i+1, before)
		}
		seen[question] = i + 1
		t.Run(fmt.Sprintf("line %d: %s", i+1, columns[4]), func(t *testing.T) { testLine(t, columns) })
	}
	if len(seen) < 220 {
		t.Errorf("the table has %d lines, want at least 220", len(seen))
	}
}

func testLine(t *testing.T, columns []string) {
	grants, wanted, scope := parseGrants(columns[0]), parseWanted(columns[1]), parseWhere(columns[2])
	answer := map[string]bool{"yes": true, "no": false}
	want, ok := answer[columns[3]]
	if !ok {
		t.Fatalf("allowed is %q, want yes or no", columns[3])
	}
	if got := keyward.Allows(grants, wanted, scope); got != want {
		t.Errorf("Allows(%+v, %q, %q) = %t, want %t", grants, wanted, scope, got, want)
	}
	if got := naiveAllows(grants, wanted, scope); got != want {
		t.Errorf("the naive rules say %t of it, want %t", got, want)
	}
	k := validKey()
	k.ACL = grants
	if err, refused := k.Validate(), strings.HasPrefix(columns[4], "(refused)"); (err != nil) != refused {
		t.Errorf("Validate = %v, but the line says refused: %t", err, refused)
	}
}

// parseGrants reads the notation that the head of the table explains.
func parseGrants(text string) []keyward.Grant {
	if text == "-" {
		return nil
	}
	grants := []keyward.Grant{}
	for _, part := range split(text, '|') {
		var g keyward.Grant
		in := false
		for _, word := range split(strings.TrimSpace(part), ' ') {
			switch {
			case word == "in":
				in, g.Scope = true, keyward.Scope{}
			case in && word != "{}":
				dimension := split(word, '=')
				g.Scope[unquote(dimension[0])] = parseValues(dimension[1])
			case !in && word != "-":
				g.Permissions = append(g.Permissions, unquote(word))
			}
		}
		grants = append(grants, g)
	}
	return grants
}

func parseValues(text string) []string {
	values := []string{}
	if text == "" {
		return values
	}
	for _, value := range split(text, ',') {
		values = append(values, unquote(value))
	}
	return values
}

func parseWanted(text string) []string {
	var wanted []string
	for _, word := range split(text, ' ') {
		if word != "-" {
			wanted = append(wanted, unquote(word))
		}
	}
	return wanted
}

func parseWhere(text string) map[string]string {
	scope := map[string]string{}
	for _, word := range split(text, ' ') {
		if dimension := split(word, '='); len(dimension) == 2 {
			scope[unquote(dimension[0])] = unquote(dimension[1])
		}
	}
	return scope
}

// split splits text at the separators that are not in quotes.
func split(text string, separator rune) []string {
	quoted := false
	parts := []string{""}
	for _, r := range text {
		if r == '"' {
			quoted = !quoted
		}
		if r == separator && !quoted {
			parts = append(parts, "")
			continue
		}
		parts[len(parts)-1] += string(r)
	}
	return parts
}

func unquote(text string) string { return strings.ReplaceAll(text, `"`, "") }

// naiveAllows is the rule in other words: what is below a name has the same levels
// first, and then more.
func naiveAllows(grants []keyward.Grant, wanted []string, scope map[string]string) bool {
	granted := 0
	for _, permission := range wanted {
		for _, g := range grants {
			if naiveNames(g.Permissions, permission) && naiveHolds(g.Scope, scope) {
				granted++
				break
			}
		}
	}
	return granted == len(wanted)
}

func naiveNames(patterns []string, permission string) bool {
	for _, pattern := range patterns {
		levels, below := strings.Split(pattern, "."), strings.Split(permission, ".")
		last := len(levels) - 1
		switch {
		case pattern == "*", slices.Equal(levels, below):
			return true
		case last == 0 || levels[last] != "*" || len(below) <= last:
		case slices.Equal(levels[:last], below[:last]) && strings.Join(below[last:], ".") != "":
			return true
		}
	}
	return false
}

func naiveHolds(granted keyward.Scope, request map[string]string) bool {
	matched := 0
	for dimension, value := range request {
		if slices.Index(granted[dimension], value) >= 0 {
			matched++
		}
	}
	return matched == len(granted)
}

func TestAllowsAgreesWithTheNaiveRules(t *testing.T) {
	name := rapid.StringMatching(`[abé.]{1,6}`)
	pattern := rapid.OneOf(name, rapid.StringMatching(`[ab.]{0,4}\*`), rapid.StringMatching(`[ab.*]{1,5}`), rapid.Just("*"))
	dimension, value := rapid.SampledFrom([]string{"x", "y", "z"}), rapid.SampledFrom([]string{"", "1", "2", "*"})
	grant := rapid.Custom(func(t *rapid.T) keyward.Grant {
		return keyward.Grant{
			Permissions: rapid.SliceOfN(pattern, 0, 3).Draw(t, "permissions"),
			Scope:       rapid.MapOfN(dimension, rapid.SliceOfN(value, 0, 3), 0, 2).Draw(t, "scope"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		grants := rapid.SliceOfN(grant, 0, 4).Draw(t, "grants")
		wanted := rapid.SliceOfN(name, 0, 3).Draw(t, "wanted")
		scope := rapid.MapOfN(dimension, value, 0, 3).Draw(t, "where")
		if got, want := keyward.Allows(grants, wanted, scope), naiveAllows(grants, wanted, scope); got != want {
			t.Fatalf("Allows(%+v, %q, %q) = %t, the naive rules say %t", grants, wanted, scope, got, want)
		}
	})
}

func TestAllowsIsMonotonic(t *testing.T) {
	names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "a.b", "a.c", "a.*", "b"}), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		grants := []keyward.Grant{{Permissions: names.Draw(t, "granted")}}
		more := append(slices.Clone(grants), keyward.Grant{Permissions: names.Draw(t, "more")})
		wanted := names.Draw(t, "wanted")
		if keyward.Allows(grants, wanted, nil) && !keyward.Allows(more, wanted, nil) {
			t.Fatalf("another grant takes %q away: %+v", wanted, more)
		}
	})
}

func TestWhatIsWantedIsNamed(t *testing.T) {
	scope := func(n int) map[string]string {
		dimensions := map[string]string{}
		for i := range n {
			dimensions[fmt.Sprint(i)] = ""
		}
		return dimensions
	}
	for name, test := range map[string]struct {
		permissions []string
		scope       map[string]string
		want        []string // pointers
	}{
		"nothing":                        {},
		"a name":                         {permissions: []string{"docs.read"}},
		"a name of 255 characters":       {permissions: []string{strings.Repeat("é", 255)}},
		"a name of 256 characters":       {permissions: []string{strings.Repeat("é", 256)}, want: []string{"/permissions/0"}},
		"an empty name":                  {permissions: []string{"a", ""}, want: []string{"/permissions/1"}},
		"a star":                         {permissions: []string{"*"}, want: []string{"/permissions/0"}},
		"a pattern":                      {permissions: []string{"docs.*"}, want: []string{"/permissions/0"}},
		"a star inside":                  {permissions: []string{"a*b"}, want: []string{"/permissions/0"}},
		"a control character":            {permissions: []string{"a\x00"}, want: []string{"/permissions/0"}},
		"what is not UTF-8":              {permissions: []string{"\xff"}, want: []string{"/permissions/0"}},
		"several wrong ones":             {permissions: []string{"*", "a", ""}, want: []string{"/permissions/0", "/permissions/2"}},
		"a hundred names":                {permissions: slices.Repeat([]string{"a"}, 100)},
		"a hundred and one":              {permissions: slices.Repeat([]string{"a"}, 101), want: []string{"/permissions"}},
		"a scope of twenty dimensions":   {scope: scope(20)},
		"a scope of twenty-one":          {scope: scope(21), want: []string{"/scope"}},
		"an odd value, which matches no": {scope: map[string]string{"region": "*"}},
	} {
		t.Run(name, func(t *testing.T) {
			var f keyward.Faults
			keyward.ValidateWanted(&f, test.permissions, test.scope)
			if got := pointers(f.Err()); !slices.Equal(got, test.want) {
				t.Errorf("faults at %q, want %q", got, test.want)
			}
		})
	}
}

// pointers returns where err finds fault.
func pointers(err error) []string {
	var at []string
	for _, f := range keyward.FieldsOf(err) {
		at = append(at, f.Pointer)
	}
	return at
}
