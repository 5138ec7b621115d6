package filter

import (
	"fmt"
	"strings"
)

// Sort says by which fields to sort, the most significant first. It is not total:
// the store adds what makes it so.
type Sort []Order

// Order is one field of a [Sort].
type Order struct {
	Name       string // as in the schema
	Column     string // as the store knows it
	Descending bool
}

// ParseSort reads a sort such as "-createdTime,name" by the sortable fields of
// schema. No text is no order. Errors have the code keyward.Invalid and one fault at
// /sort.
func ParseSort(text string, schema Schema) (Sort, error) {
	if text == "" {
		return nil, nil
	}
	if err := checkText(text); err != nil {
		return nil, fault("/sort", err)
	}
	var sort Sort
	fields := schema.sortable()
	for part := range strings.SplitSeq(text, ",") {
		if len(sort) == MaxOrders {
			return nil, fault("/sort", fmt.Errorf("has more than %d fields", MaxOrders))
		}
		name, descending := strings.CutPrefix(part, "-")
		field, ok := fields.field(name)
		if !ok {
			return nil, fault("/sort", unknown(name, fields))
		}
		if sort.by(field.Column) {
			return nil, fault("/sort", fmt.Errorf("sorts by %s more than once", name))
		}
		sort = append(sort, Order{Name: field.Name, Column: field.Column, Descending: descending})
	}
	return sort, nil
}

// by reports whether s sorts by column.
func (s Sort) by(column string) bool {
	for _, o := range s {
		if o.Column == column {
			return true
		}
	}
	return false
}
