// Package filter reads what a list may be filtered and sorted by: text in, a
// checked tree out. One grammar serves every surface that filters.
//
//	filter = clause *( ";" clause )         every clause must hold
//	clause = field ":" value *( "," value ) one of the values must match
//	value  = [ "!" ] ( word / range / "null" )
//	range  = word ".." word / word ".." / ".." word
//	sort   = [ "-" ] field *( "," [ "-" ] field )
//
// So "type:secret;createdTime:2026-01-01.." asks for secret keys made this year
// or later, and "name:!ci,!cd" for those that are called neither. "!" on the first
// value alone stands for all of them; any other mixture is refused. Ranges include
// both ends and are for numbers and instants. A plain date is the start of that day
// in UTC. "null" matches what has no value.
//
// A word is taken literally, wildcards and spaces included. A backslash takes the
// meaning from any of , ; : \ " ! . @ and double quotes take it from all that they
// enclose, save the backslash and the quote: name:"a;b", name:"null".
//
// A field ends at the first ":", so instants need no escapes. Keywords and all
// text but that of lists are matched without regard to case. Saved value lists
// (field:@name) are not supported, and refused.
//
// The package knows no fields of its own and no SQL: a surface brings the
// [Schema], the store compiles the [Filter]. Free-text search is not filtering.
package filter

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"keyward"
)

// The limits of one query. What exceeds them is refused.
const (
	MaxLength  = 8 << 10 // bytes of a filter or sort text
	MaxClauses = 50      // clauses of a filter
	MaxValues  = 100     // values of a clause
	MaxTerms   = 500     // values of all clauses, each of which a long list may be compared with
	MaxOrders  = 10      // fields of a sort
)

// Kind is the type of a field: what values it is compared with, and how.
type Kind int

// The kinds.
const (
	Text    Kind = iota // equality without regard to case
	Enum                // one of Field.Values, without regard to case
	Number              // an int64
	Instant             // a [keyward.Time]
	Bool                // true or false
	List                // membership: the list contains this text, exactly
)

// Field is something that a list can be filtered by and perhaps sorted by.
type Field struct {
	// Name is what callers of this surface write. It has no ":", ";", "," and
	// does not start with "-".
	Name string
	// Column is the name by which the store knows the field. If empty, Name.
	Column string
	Kind   Kind
	// Values are all the values of an Enum.
	Values []string
	// Nullable fields can be compared with null.
	Nullable bool
	// Sortable fields can be sorted by.
	Sortable bool
}

// Schema is everything that one list can be filtered and sorted by.
type Schema []Field

// Filter is a conjunction: every clause must hold. No clauses let everything pass.
type Filter []Clause

// Clause says that a field matches one of the terms; negated, that it matches none
// of them. So a negated clause lets pass what has no value, unless a term is Null.
type Clause struct {
	Name    string // as in the schema
	Column  string // as the store knows it
	Kind    Kind   // says which members of the terms count
	Negated bool
	Terms   []Term // alternatives; never empty in what [Parse] returns
}

// Term is one thing that a field may be. Which members count follows from the kind
// of its clause.
type Term struct {
	// Null stands for having no value. If set, nothing else counts.
	Null bool
	// Text is the value for Text (as [keyward.Fold] returns it), for Enum (as in
	// Field.Values) and for List (as written).
	Text string
	// From and To enclose the values for Number, Instant (milliseconds, as in
	// [keyward.Time]) and Bool (1 is true). Both are included; a single value is
	// both. An open end is math.MinInt64 or math.MaxInt64. From may be beyond To:
	// nothing is in such a range. To have no value is in no range.
	From, To int64
}

// Parse reads a filter by the fields of schema. No text is no clauses. Errors have
// the code keyward.Invalid and one fault at /filter, which says what is wrong
// where, without repeating values. It takes time linear in the text.
func Parse(text string, schema Schema) (Filter, error) {
	if text == "" {
		return nil, nil
	}
	if err := checkText(text); err != nil {
		return nil, fault("/filter", err)
	}
	var f Filter
	terms := 0
	s := scanner{text: text}
	for more := true; more; more = s.skip(";") {
		if len(f) == MaxClauses {
			return nil, fault("/filter", fmt.Errorf("has more than %d clauses", MaxClauses))
		}
		c, err := parseClause(&s, schema)
		if err != nil {
			return nil, fault("/filter", fmt.Errorf("clause %d: %w", len(f)+1, err))
		}
		if terms += len(c.Terms); terms > MaxTerms {
			return nil, fault("/filter", fmt.Errorf("has more than %d values", MaxTerms))
		}
		f = append(f, c)
	}
	return f, nil
}

// parseClause leaves s at the ";" behind the clause, or at the end.
func parseClause(s *scanner, schema Schema) (Clause, error) {
	name, ok := s.name()
	if !ok {
		return Clause{}, errors.New("is not of the form field:value")
	}
	field, ok := schema.field(name)
	if !ok {
		return Clause{}, unknown(name, schema)
	}
	c := Clause{Name: field.Name, Column: field.Column, Kind: field.Kind}
	negatives, first := 0, false
	for more := true; more; more = s.skip(",") {
		if len(c.Terms) == MaxValues {
			return Clause{}, fmt.Errorf("%s has more than %d values", name, MaxValues)
		}
		v, err := s.value()
		if err != nil {
			return Clause{}, fmt.Errorf("%s: value %d %w", name, len(c.Terms)+1, err)
		}
		t, err := field.term(v)
		if err != nil {
			return Clause{}, fmt.Errorf("%s: value %d %w", name, len(c.Terms)+1, err)
		}
		if v.negated {
			negatives++
			first = first || len(c.Terms) == 0
		}
		c.Terms = append(c.Terms, t)
	}
	c.Negated = negatives > 0
	if allOrFirst := negatives == len(c.Terms) || negatives == 1 && first; c.Negated && !allOrFirst {
		return Clause{}, fmt.Errorf(`%s mixes values with and without "!"; use a clause for each`, name)
	}
	return c, nil
}

// field finds a field by name, with its Column filled in.
func (s Schema) field(name string) (Field, bool) {
	for _, f := range s {
		if f.Name != name {
			continue
		}
		if f.Column == "" {
			f.Column = f.Name
		}
		return f, true
	}
	return Field{}, false
}

// sortable returns the fields that can be sorted by.
func (s Schema) sortable() Schema {
	var fields Schema
	for _, f := range s {
		if f.Sortable {
			fields = append(fields, f)
		}
	}
	return fields
}

// unknown says that name is none of the fields, and what they are.
func unknown(name string, fields Schema) error {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	const shown = 20 // characters: enough for any field, and too few for a secret
	if utf8.RuneCountInString(name) > shown {
		name = string([]rune(name)[:shown]) + "…"
	}
	return fmt.Errorf("unknown field %q; the fields are: %s", name, strings.Join(names, ", "))
}

// checkText refuses what no filter or sort can be.
func checkText(text string) error {
	switch {
	case len(text) > MaxLength:
		return fmt.Errorf("is longer than %d bytes", MaxLength)
	case !utf8.ValidString(text):
		return errors.New("is not valid UTF-8")
	case strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("contains a control character")
	}
	return nil
}

func fault(pointer string, err error) error {
	var faults keyward.Faults
	faults.Add(pointer, "%s", err)
	return faults.Err()
}
