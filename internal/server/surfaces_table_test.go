package server_test

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"keyward/keywardtest"
)

var update = flag.Bool("update", false, "write the tables of docs/api/surfaces.md as they must be")

const surfacesPage = "../../docs/api/surfaces.md"

// The tables of what each surface shows and sets are made of what surfaces answer:
// keys whose members all hold what nothing else does are read everywhere, and it is
// looked where each value is.
func TestSurfacesTable(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	page, err := os.ReadFile(surfacesPage)
	if err != nil {
		t.Fatal(err)
	}
	want := string(page)
	want = between(t, want, "shows", w.shows(t))
	want = between(t, want, "sets", w.sets(t))
	if want == string(page) {
		return
	}
	if *update {
		if err := os.WriteFile(surfacesPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s is not as the surfaces are; `go test ./internal/server -run TestSurfacesTable -update` writes it:\n%s",
		surfacesPage, want)
}

// between puts a table where the page says so.
func between(t *testing.T, page, name, table string) string {
	t.Helper()
	before, rest, begins := strings.Cut(page, "<!-- "+name+" -->\n")
	_, after, ends := strings.Cut(rest, "<!-- end -->")
	if !begins || !ends {
		t.Fatalf("%s has no place for the table between <!-- %s --> and <!-- end -->", surfacesPage, name)
	}
	return before + "<!-- " + name + " -->\n" + table + "<!-- end -->" + after
}

// members returns those of a native key, in the order in which it is written.
func members(t *testing.T, object string) []string {
	t.Helper()
	var names []string
	for _, line := range strings.Split(indented(t, object), "\n") {
		if name, _, found := strings.Cut(line, `":`); found && strings.HasPrefix(name, "  \"") {
			names = append(names, name[3:])
		}
	}
	return names
}

// exhibit is a key that is shown, and what the table looks for.
type exhibit struct {
	*site
	handle
	native map[string]any
}

// exhibits makes three keys that have no member in common but those that all keys have:
// one is disabled, does not end and may nothing, one is where secrets are kept.
func (w *world) exhibits(t *testing.T) []exhibit {
	t.Helper()
	first, third := w.site(t, false), w.site(t, true)
	second := *first
	second.project = w.must(t, "POST", "/v1/organizations/"+first.org.ID+"/projects", `{"name":"Another project"}`)
	all := []exhibit{{site: first}, {site: &second}, {site: third}}
	for i, members := range []string{
		`"environment":"live",` + rights, `"environment":"sandbox","type":"publishable",`, `"environment":"test",`,
	} {
		all[i].name = fmt.Sprintf("Exhibit %d", i)
		key := w.must(t, "POST", all[i].values(handle{}).fill(nativeKeys), fmt.Sprintf(`{%s"name":%q}`, members, all[i].name))
		all[i].secret = key.Secret
		all[i].handle = all[i].natively(t, all[i].handle)
		w.must(t, "POST", "/v1/verify", fmt.Sprintf(`{"key":%q}`, key.Secret)) // so that it was used
	}
	for i, members := range []string{
		natively,
		`{"projectIds":["{projectId}"],"enabled":false,"startTime":"2026-02-03T04:05:06.789Z","metadata":{"plan":"none"}}`,
		`{"projectIds":["{projectId}"],"startTime":"2026-03-04T05:06:07.891Z","ownerId":"user_43"}`,
	} {
		w.must(t, "PATCH", all[i].path(all[i].handle), all[i].values(all[i].handle).fill(members))
	}
	w.restart(t) // which writes when they were used
	for i, e := range all {
		all[i].native, _ = parsed(t, w.as(t, w.RootToken, "GET", e.path(e.handle), "").body).(map[string]any)
	}
	return all
}

// wanted returns what may stand for a native member of the exhibit: mostly itself.
func (e exhibit) wanted(member string) []any {
	all := []any{e.native[member]}
	switch {
	case member == "projectIds":
		all = append(all, []any{e.project.PublicID})
	case member == "hint" && e.recoverable:
		all = append(all, e.secret)
	}
	return all
}

// shows returns the table of what is called what in the answers of each dialect.
func (w *world) shows(t *testing.T) string {
	t.Helper()
	all := w.exhibits(t)
	var table grid
	rows := members(t, w.as(t, w.RootToken, "GET", all[0].path(all[0].handle), "").body)
	for _, d := range doors()[1:] {
		lists, ones := []map[string]any{}, []map[string]any{}
		for _, e := range all {
			lists = append(lists, e.key(t, e.done(t, d, d.list, e.handle), d.many))
			if d.read.there() {
				ones = append(ones, e.key(t, e.done(t, d, d.read, e.handle), d.one))
			}
		}
		taken := map[string]bool{}
		for _, member := range rows {
			inLists, alone := shownAs(all, lists, member, taken), shownAs(all, ones, member, taken)
			table.set("`"+member+"`", d.name, twoNames(inLists, " in lists", alone, " alone", len(ones) == 0))
		}
		const secret = "the secret, where it is kept and may be read"
		inLists, alone := place(last(lists), all[2].secret), place(last(ones), all[2].secret)
		table.set(secret, d.name, twoNames(inLists, " in lists", alone, " alone", len(ones) == 0))
		table.set("the secret, of a new key", d.name, "`"+d.born+"`")
		table.set("what no native key has", d.name, strings.Join(strangers(append(lists, ones...), taken), ", "))
	}
	return table.markdown("native member")
}

func last(objects []map[string]any) map[string]any {
	if len(objects) == 0 {
		return nil
	}
	return objects[len(objects)-1]
}

// shownAs returns the place where every exhibit's object holds the native member, ""
// if there is none, and notes that it is taken. A member that no exhibit has is nowhere.
func shownAs(all []exhibit, objects []map[string]any, member string, taken map[string]bool) string {
	if len(objects) == 0 || !slices.ContainsFunc(all, func(e exhibit) bool { return e.native[member] != nil }) {
		return ""
	}
	for _, path := range paths(objects[0]) {
		fits := true
		for i, e := range all {
			fits = fits && slices.ContainsFunc(e.wanted(member), func(value any) bool {
				return reflect.DeepEqual(at(objects[i], path), value)
			})
		}
		if fits {
			taken[strings.Split(strings.TrimSuffix(path, "[]"), ".")[0]] = true
			taken[strings.Split(path, "[]")[0]] = true
			return path
		}
	}
	return ""
}

// place returns where an object holds a value.
func place(object map[string]any, value any) string {
	for _, path := range paths(object) {
		if reflect.DeepEqual(at(object, path), value) {
			return path
		}
	}
	return ""
}

// strangers returns the members of objects that hold nothing of a native key.
func strangers(objects []map[string]any, taken map[string]bool) []string {
	var names []string
	for _, object := range objects {
		for name := range object {
			if quoted := "`" + name + "`"; !taken[name] && !slices.Contains(names, quoted) {
				names = append(names, quoted)
			}
		}
	}
	slices.Sort(names)
	return names
}
