package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// sets returns the table of what each surface writes, and what it calls it.
func (w *world) sets(t *testing.T) string {
	t.Helper()
	s := w.site(t, false)
	var table grid
	for _, d := range doors() {
		minimal, _ := s.newborn(t, d, d.create, "minimal")
		created, atCreation := s.newborn(t, d, ask{d.create.method, d.create.path, d.full.create, d.create.status}, "full")
		before, updated := s.native(t, minimal), []string{}
		minimal.name += ", renamed"
		later := map[string]string{}
		for _, a := range d.full.updates {
			s.done(t, d, a, minimal)
			body := parsed(t, s.values(minimal).fill(a.body))
			maps.Copy(later, s.written(body, s.native(t, minimal), before))
			updated = append(updated, a.path)
		}
		made, after := s.native(t, created), s.native(t, minimal)
		for _, member := range members(t, s.as(t, s.RootToken, "GET", s.path(created), "").body) {
			cell := twoNames(atCreation[member], " when created", later[member], " when changed", false)
			derived := made[member] != nil && fmt.Sprint(made[member]) != "[]" &&
				(len(updated) == 0 || !reflect.DeepEqual(before[member], after[member]))
			if member == "management" && atCreation[member] == "" && derived {
				cell = derivedFrom(d.full.derives)
			}
			table.set("`"+member+"`", d.name, cell)
		}
	}
	return table.without("–").markdown("member")
}

func derivedFrom(member string) string {
	if member == "" {
		return "derived"
	}
	return "derived from `" + member + "`"
}

// newborn makes a key with a request, and returns it with what the request has written.
func (s *site) newborn(t *testing.T, d door, a ask, name string) (handle, map[string]string) {
	t.Helper()
	k := handle{name: name + " " + d.name}
	s.done(t, d, a, k)
	body := parsed(t, s.values(k).fill(a.body))
	k = s.natively(t, k)
	return k, s.written(body, s.native(t, k), nil)
}

// written returns where in a body each native member stands that is now as it says,
// and was not before.
func (s *site) written(body any, now, before map[string]any) map[string]string {
	found := map[string]string{}
	object, _ := body.(map[string]any)
	for _, path := range paths(object) {
		value := at(object, path)
		if reflect.DeepEqual(value, []any{s.project.PublicID}) {
			value = []any{s.project.ID}
		}
		for member, is := range now {
			_, isSwitch := is.(bool)
			if reflect.DeepEqual(is, value) && !reflect.DeepEqual(is, before[member]) && (!isSwitch || member == path) {
				found[member] = path
			}
		}
	}
	return found
}

// paths returns where an object holds something, sorted: a.b is a member of a member,
// a[].b one of every element.
func paths(object map[string]any) []string {
	var all []string
	for name, value := range object {
		all = append(all, name)
		if elements, ok := value.([]any); ok && len(elements) > 0 {
			value, name = elements[0], name+"[]"
		}
		if inner, ok := value.(map[string]any); ok {
			for _, path := range paths(inner) {
				all = append(all, name+"."+path)
			}
		}
	}
	slices.Sort(all)
	return all
}

// at returns what is at a path, nil if nothing is.
func at(object map[string]any, path string) any {
	name, rest, nested := strings.Cut(path, ".")
	value := object[strings.TrimSuffix(name, "[]")]
	if !nested {
		return value
	}
	if !strings.HasSuffix(name, "[]") {
		inner, _ := value.(map[string]any)
		return at(inner, rest)
	}
	elements, _ := value.([]any)
	values := []any{}
	for _, element := range elements {
		inner, _ := element.(map[string]any)
		values = append(values, at(inner, rest))
	}
	return values
}

// twoNames writes what something is called in two kinds of answers or requests.
func twoNames(a, ofA, b, ofB string, onlyA bool) string {
	switch {
	case a == "" && b == "":
		return "–"
	case a == b || onlyA:
		return "`" + a + "`"
	case b == "":
		return "`" + a + "`" + ofA
	case a == "":
		return "`" + b + "`" + ofB
	}
	return "`" + a + "`" + ofA + ", `" + b + "`" + ofB
}

func indented(t *testing.T, object string) string {
	t.Helper()
	var text bytes.Buffer
	if err := json.Indent(&text, []byte(object), "", "  "); err != nil {
		t.Fatalf("%v in %s", err, object)
	}
	return text.String()
}

// grid is a table whose rows and columns stand as they come.
type grid struct {
	rows, columns []string
	cells         map[[2]string]string
}

func (g *grid) set(row, column, cell string) {
	if g.cells == nil {
		g.cells = map[[2]string]string{}
	}
	if !slices.Contains(g.rows, row) {
		g.rows = append(g.rows, row)
	}
	if !slices.Contains(g.columns, column) {
		g.columns = append(g.columns, column)
	}
	if cell == "" {
		cell = "–"
	}
	g.cells[[2]string{row, column}] = cell
}

// without returns the table without the rows whose cells all are this one.
func (g grid) without(cell string) grid {
	g.rows = slices.DeleteFunc(slices.Clone(g.rows), func(row string) bool {
		return !slices.ContainsFunc(g.columns, func(column string) bool { return g.cells[[2]string{row, column}] != cell })
	})
	return g
}

// markdown writes the table in Markdown, with a name for what the rows are.
func (g grid) markdown(rows string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "| %s | %s |\n|%s\n", rows, strings.Join(g.columns, " | "), strings.Repeat(" --- |", len(g.columns)+1))
	for _, row := range g.rows {
		fmt.Fprintf(&text, "| %s |", row)
		for _, column := range g.columns {
			fmt.Fprintf(&text, " %s |", g.cells[[2]string{row, column}])
		}
		text.WriteString("\n")
	}
	return text.String()
}
