package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"keyward"
	"keyward/internal/filter"
)

// Page says which part of a list is wanted.
type Page struct {
	Filter filter.Filter
	Sort   filter.Sort // ends in the order of creation, which makes it total
	Query  string      // only names that contain this text, whatever the letter case
	Limit  int
	After  string // what Found.Next was for the page before, "" for the first one
	Offset int    // entries to pass over, for surfaces that count them
	Count  bool   // whether Found.Total is wanted
	Now    keyward.Time
}

// Found is what is known of a page beside its entries.
type Found struct {
	Next  string // where the next page begins; "" if this is the last
	Total int64  // entries on all pages, if they were counted
}

// column is how a field of a list is kept.
type column struct {
	name string // in SQL
	// virtual, if set, makes the condition for one value of a field that is not
	// kept, instead of name.
	virtual func(l *listing, value string) string
	// exact says that the column keeps letters as they were written, which are ASCII.
	exact bool
}

// listing builds the SQL of one list. Texts that strangers wrote become arguments,
// never SQL.
type listing struct {
	columns string
	from    string
	tie     string // a column that makes every order total, in the order of creation
	search  string
	fields  map[string]column
	large   bool // whether the list can be too long to be sorted as a whole

	now        keyward.Time
	engine     engine
	ordered    string   // the column whose index gives the order, if filters must leave it to that
	conditions []string // the first one with tie is unique, if the list is large
	args       []any
}

func (l *listing) where(condition string) { l.conditions = append(l.conditions, condition) }

// arg adds an argument and returns its placeholder.
func (l *listing) arg(value any) string {
	l.args = append(l.args, value)
	return fmt.Sprintf("$%d", len(l.args))
}

// texts adds arguments and returns their placeholders, for IN. No value gives an
// empty string, which nothing equals.
func (l *listing) texts(values []string) string {
	if len(values) == 0 {
		return "''"
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = l.arg(v)
	}
	return strings.Join(marks, ", ")
}

// narrow is up to how many rows are sorted without an index that has the order.
const narrow = 4000

// list returns one page of the listing.
func list[T any](ctx context.Context, r reader, l *listing, page Page, scan func(func(...any) error) (T, error)) ([]T, Found, error) {
	var found Found
	if err := l.check(page); err != nil {
		return nil, found, err
	}
	l.now, l.engine = page.Now, r.engine
	conditions, args := l.conditions, l.args
	l.apply(page)
	if page.Count {
		count := "SELECT count(*) FROM " + l.from + l.whereText()
		if err := r.one(ctx, "no count", count, r.engine.planned(l.args), &found.Total); err != nil {
			return nil, found, err
		}
	}
	items := []T{}
	if page.Limit == 0 {
		return items, found, nil
	}
	few, err := l.few(ctx, r, page)
	if err != nil {
		return nil, found, err
	}
	if l.large && !few && len(page.Sort) > 0 {
		l.conditions, l.args, l.ordered = conditions, args, page.Sort[0].Column
		l.apply(page)
	}
	query, err := l.page(page, few)
	if err != nil {
		return nil, found, err
	}
	var positions [][]any
	err = r.each(ctx, query, r.engine.planned(l.args), func(row func(...any) error) error {
		position := make([]any, len(page.Sort)+1)
		into := make([]any, len(position))
		for i := range position {
			into[i] = &position[i]
		}
		item, err := scan(func(columns ...any) error { return row(append(columns, into...)...) })
		items, positions = append(items, item), append(positions, position)
		return err
	})
	if err != nil {
		return nil, found, err
	}
	if len(items) > page.Limit {
		items = items[:page.Limit]
		next, err := json.Marshal(positions[page.Limit-1])
		if err != nil {
			return nil, found, keyward.Errorf(keyward.Internal, "write a position: %w", err)
		}
		found.Next = string(next)
	}
	return items, found, nil
}

// check refuses fields that the list does not have.
func (l *listing) check(page Page) error {
	for _, o := range page.Sort {
		if l.fields[o.Column].name == "" {
			return keyward.Errorf(keyward.Internal, "the list cannot be sorted by %s", o.Column)
		}
	}
	for _, c := range page.Filter {
		if field := l.fields[c.Column]; field.name == "" && field.virtual == nil {
			return keyward.Errorf(keyward.Internal, "the list cannot be filtered by %s", c.Column)
		}
	}
	return nil
}

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

func (l *listing) whereText() string { return " WHERE " + strings.Join(l.conditions, " AND ") }

// page returns the query for one page and one entry more. Its last columns are
// those of the order.
func (l *listing) page(page Page, few bool) (string, error) {
	orders := make([]filter.Order, 0, len(page.Sort)+1)
	names := make([]string, 0, len(page.Sort)+1)
	for _, o := range page.Sort {
		orders, names = append(orders, o), append(names, l.fields[o.Column].name)
	}
	last := filter.Order{}
	if len(orders) > 0 {
		last = orders[len(orders)-1]
	}
	orders, names = append(orders, last), append(names, l.tie)

	// A filter that leaves few rows is the way to find them, not the order.
	terms := slices.Clone(names)
	for i := range terms {
		if few {
			terms[i] = l.engine.unindexed(names[i])
		}
	}
	if page.After != "" {
		condition, err := l.after(page.After, orders, terms)
		if err != nil {
			return "", err
		}
		l.where(condition)
	}
	for i, o := range orders {
		if o.Descending {
			terms[i] += " DESC"
		}
	}
	order := " ORDER BY " + strings.Join(terms, ", ")
	rest := l.whereText() + order + " LIMIT " + l.arg(page.Limit+1)
	if page.Offset > 0 {
		rest += " OFFSET " + l.arg(page.Offset)
	}
	if few {
		// What is sorted is no more than the rows' places; they are read when the
		// page is known.
		rest = " WHERE " + l.conditions[0] + " AND " + l.tie + " IN (SELECT " + l.tie + " FROM " + l.from + rest + ")" + order
	}
	return "SELECT " + l.columns + ", " + strings.Join(names, ", ") + " FROM " + l.from + rest, nil
}

// few reports whether the filter leaves so few rows that they are best found by
// its index and then sorted. Otherwise rows are best taken in the wanted order,
// and those that the filter does not want passed over. Either way no page of a
// large list touches more than some thousand rows, unless filter and order conspire.
// A planner that estimates finds out by itself.
func (l *listing) few(ctx context.Context, r reader, page Page) (bool, error) {
	if !l.large || len(page.Filter) == 0 || r.engine.estimates() {
		return false, nil
	}
	for _, clause := range page.Filter {
		if clause.Negated {
			return false, nil
		}
	}
	var n int64
	query := fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM %s%s LIMIT %d) AS probe", l.from, l.whereText(), narrow)
	err := r.one(ctx, "no count", query, r.engine.planned(l.args), &n)
	return n < narrow, err
}

// after returns the condition for rows behind a position.
func (l *listing) after(text string, orders []filter.Order, names []string) (string, error) {
	wrong := keyward.Faults{{Pointer: "/cursor", Detail: "is not a cursor of this list"}}.Err()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var position []any
	if err := decoder.Decode(&position); err != nil || decoder.More() || len(position) != len(orders) || !storable(position) {
		return "", wrong
	}
	condition := ""
	for i := len(orders) - 1; i >= 0; i-- {
		value := position[i]
		if number, ok := value.(json.Number); ok {
			n, err := number.Int64()
			if err != nil {
				return "", wrong
			}
			value = n
		}
		mark, beyond := l.arg(value), ">"
		if orders[i].Descending {
			beyond = "<"
		}
		if condition == "" {
			condition = names[i] + " " + beyond + " " + mark
			continue
		}
		// The first half lets an index begin at the position.
		condition = fmt.Sprintf("(%[1]s %[2]s= %[3]s AND (%[1]s %[2]s %[3]s OR %[4]s))", names[i], beyond, mark, condition)
	}
	return condition, nil
}

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
