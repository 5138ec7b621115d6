package store

import (
	"fmt"
	"strings"

	"keyward"
	"keyward/internal/filter"
)

// apply adds the conditions of the page's filter and query.
func (l *listing) apply(page Page) {
	for _, clause := range page.Filter {
		l.where(l.clause(clause))
	}
	if !storable([]any{page.Query}) {
		l.where("1 = 0")
	} else if page.Query != "" {
		l.where(l.search + " LIKE " + l.arg("%"+likeEscaper.Replace(keyward.Fold(page.Query))+"%") + ` ESCAPE '\'`)
	}
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// clause returns the condition for one clause of a filter.
func (l *listing) clause(c filter.Clause) string {
	field := l.fields[c.Column]
	if field.virtual == nil {
		field.name = l.unless(c.Column, field.name)
	}
	terms := make([]string, 0, len(c.Terms)+1)
	for _, t := range c.Terms {
		terms = append(terms, l.term(field, c.Kind, t))
	}
	if len(terms) == 0 {
		terms = append(terms, "1 = 0")
	}
	condition := "(" + strings.Join(terms, " OR ") + ")"
	if c.Negated {
		condition = "NOT " + condition
	}
	return condition
}

// unless returns a field's column such that its index is not used, unless nothing
// is known of the order or it is the field's own.
func (l *listing) unless(field, column string) string {
	if l.ordered != "" && l.ordered != field {
		return l.engine.unindexed(column)
	}
	return column
}

func (l *listing) term(field column, kind filter.Kind, t filter.Term) string {
	switch {
	case field.virtual != nil:
		return field.virtual(l, t.Text)
	case t.Null && kind == filter.Instant:
		return field.name + " = 0"
	case t.Null:
		return field.name + " = ''"
	case kind == filter.Bool:
		return field.name + " = " + l.arg(t.Bool())
	case kind == filter.Number, kind == filter.Instant:
		from := t.From
		if kind == filter.Instant {
			from = max(from, 1) // 0 is "not set", which is in no range
		}
		return fmt.Sprintf("(%s >= %s AND %s <= %s)", field.name, l.arg(from), field.name, l.arg(t.To))
	}
	if field.exact && kind == filter.Text {
		return "lower(" + field.name + ") = " + l.arg(t.Text)
	}
	return field.name + " = " + l.arg(t.Text)
}
