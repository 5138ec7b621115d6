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
	Total int64  // entries on all pages, if that was wanted
}

// column is how a field of a list is kept.
type column struct {
	name string // in SQL
	// virtual, if set, makes the condition for one value of a field that is not
	// kept, instead of name.
	virtual func(l *listing, value string) string
	// exact says that the column keeps letters as they were written, which are ASCII.
	exact bool
	// index, if set, has the field's order, and in it all that long lists are mostly
	// filtered by, so that entries are counted and passed over without being read.
	index string
	// coarse says that the values are so few that there is no order among most rows.
	coarse bool
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
	ordered    string   // the field whose index gives the order, if filters must leave it to that
	conditions []string // the first one with tie is unique, if the list is large
	args       []any
	parts      []part // what the page is put together from
}

// part is a piece of a page: so many of the rows that meet one condition more.
type part struct {
	condition     string // with AND before it, if the first field of the order has one value
	rows          int    // that meet it, if they were counted
	limit, offset int
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
//
// SQLite keeps no statistics here, so the store finds out what a planner would have to
// guess; PostgreSQL's plans each query for its values.
func list[T any](ctx context.Context, r reader, l *listing, page Page, scan func(func(...any) error) (T, error)) ([]T, Found, error) {
	var found Found
	if err := l.check(page); err != nil {
		return nil, found, err
	}
	few, err := l.find(ctx, r, page, &found)
	if err != nil {
		return nil, found, err
	}
	items := []T{}
	if counted := page.Count || l.splits(page); page.Limit == 0 || counted && int64(page.Offset) >= found.Total {
		return items, found, nil
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

// find adds the conditions of the page, counts the entries if that is wanted, and
// reports whether they are few: best found by the filter's index and then sorted.
// Otherwise rows are best taken in the wanted order, and those that the filter does
// not want passed over. Either way no page of a large list touches more than some
// thousand rows, unless it is far from the first, or filter and order conspire.
func (l *listing) find(ctx context.Context, r reader, page Page, found *Found) (few bool, err error) {
	l.now, l.engine = page.Now, r.engine
	conditions, args := l.conditions, l.args
	l.apply(page)
	l.parts = []part{{limit: page.Limit + 1, offset: page.Offset}}
	if l.probes(page) {
		rows, err := l.count(ctx, r, narrow)
		if err != nil || rows < narrow {
			found.Total = rows
			return true, err
		}
	}
	if l.large && len(page.Sort) > 0 {
		l.conditions, l.args, l.ordered = conditions, args, page.Sort[0].Column
		l.apply(page)
	}
	if l.splits(page) {
		found.Total, err = l.split(ctx, r, page)
		return false, err
	}
	if page.Count {
		found.Total, err = l.count(ctx, r, 0)
	}
	if l.large && page.After == "" {
		l.parts[0].rows = int(found.Total)
	}
	return false, err
}

// probes reports whether it has to be tried how many rows a page's filter leaves. A
// planner that estimates finds out by itself.
func (l *listing) probes(page Page) bool {
	return l.large && len(page.Filter) > 0 && !l.engine.estimates() &&
		!slices.ContainsFunc(page.Filter, func(c filter.Clause) bool { return c.Negated })
}

// count returns how many rows meet the conditions, up to most unless that is 0.
func (l *listing) count(ctx context.Context, r reader, most int) (n int64, err error) {
	query := "SELECT count(*) FROM " + l.source() + l.whereText()
	if most > 0 {
		query = fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM %s%s LIMIT %d) AS probe", l.source(), l.whereText(), most)
	}
	err = r.one(ctx, "no count", query, r.engine.planned(l.args), &n)
	return n, err
}

// source is where rows are searched.
func (l *listing) source() string {
	if index := l.fields[l.ordered].index; index != "" {
		return l.engine.indexed(l.from, index)
	}
	return l.from
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

func (l *listing) whereText() string { return " WHERE " + strings.Join(l.conditions, " AND ") }

// splits reports whether a page is far into an order that begins with a coarse field.
// That means to sort nearly all rows, unless each value is taken by itself.
func (l *listing) splits(page Page) bool {
	return l.large && page.Offset >= narrow && page.After == "" && len(page.Sort) > 1 && l.fields[page.Sort[0].Column].coarse
}

// split counts the rows of each value of the first field of the order, finds out which
// of them are on the page, and leaves the order to the fields behind. It returns how
// many rows there are. A row that comes or goes before the page is read moves it, as it
// moves every offset.
func (l *listing) split(ctx context.Context, r reader, page Page) (total int64, err error) {
	first := l.fields[page.Sort[0].Column].name
	query := "SELECT " + first + ", count(*) FROM " + l.source() + l.whereText() +
		" GROUP BY " + first + orderBy([]string{first}, page.Sort[:1])
	l.ordered = page.Sort[1].Column
	l.parts = nil
	var values []string
	offset, limit := page.Offset, page.Limit+1
	err = r.each(ctx, query, r.engine.planned(l.args), func(scan func(...any) error) error {
		var value string
		var rows int
		if err := scan(&value, &rows); err != nil {
			return err
		}
		total += int64(rows)
		if take := min(limit, rows-offset); take > 0 {
			values = append(values, value)
			l.parts = append(l.parts, part{rows: rows, limit: take, offset: offset})
			limit -= take
		}
		offset = max(0, offset-rows)
		return nil
	})
	for i, value := range values {
		l.parts[i].condition = " AND " + l.engine.unindexed(first) + " = " + l.arg(value)
	}
	return total, err
}

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
	unindexed := make([]string, len(names))
	for i := range names {
		unindexed[i] = l.engine.unindexed(names[i])
	}

	// A filter that leaves few rows is the way to find them, not the order.
	terms := names
	if few {
		terms = unindexed
	}
	if page.After != "" {
		condition, err := l.after(page.After, orders, terms)
		if err != nil {
			return "", err
		}
		l.where(condition)
	}
	query := "SELECT " + l.columns + ", " + strings.Join(names, ", ") + " FROM " + l.from
	if !l.large {
		return query + l.piece(l.parts[0], terms, orders), nil
	}
	// What is sorted and passed over is no more than the rows' places; they are read
	// when the page is known.
	return query + " WHERE " + l.conditions[0] + " AND " + l.tie + " IN (" + l.places(terms, orders) + ")" +
		orderBy(unindexed, orders), nil
}

// places returns the query for where the rows of a page are, in any order.
func (l *listing) places(terms []string, orders []filter.Order) string {
	pieces := make([]string, len(l.parts))
	for i, p := range l.parts {
		pieces[i] = fmt.Sprintf("SELECT * FROM (SELECT %s FROM %s%s) AS part%d", l.tie, l.source(), l.piece(p, terms, orders), i)
	}
	return strings.Join(pieces, " UNION ALL ")
}

// piece returns what a query for the rows of a part ends in. If their number is known,
// they are taken from the nearer end, in the wrong order.
func (l *listing) piece(p part, terms []string, orders []filter.Order) string {
	if 2*p.offset > p.rows && p.rows > 0 {
		orders = slices.Clone(orders)
		for i := range orders {
			orders[i].Descending = !orders[i].Descending
		}
		p.limit, p.offset = min(p.limit, p.rows-p.offset), max(0, p.rows-p.offset-p.limit)
	}
	if p.condition != "" {
		terms, orders = terms[1:], orders[1:]
	}
	text := l.whereText() + p.condition + orderBy(terms, orders) + " LIMIT " + l.arg(p.limit)
	if p.offset > 0 {
		text += " OFFSET " + l.arg(p.offset)
	}
	return text
}

func orderBy(terms []string, orders []filter.Order) string {
	sorted := slices.Clone(terms)
	for i, o := range orders {
		if o.Descending {
			sorted[i] += " DESC"
		}
	}
	return " ORDER BY " + strings.Join(sorted, ", ")
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
