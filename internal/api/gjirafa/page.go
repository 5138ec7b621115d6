package gjirafa

import (
	"math"
	"strings"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
	"keyward/internal/filter"
)

// page is a part of a list, as the vendor counts it: from 1.
type page[T any] struct {
	CurrentPage int   `json:"currentPage"`
	TotalPages  int64 `json:"totalPages"`
	PageSize    int   `json:"pageSize"`
	TotalCount  int64 `json:"totalCount"`
	Items       []T   `json:"items"`
}

// paging is which part of a list is wanted.
type paging struct {
	current int
	list    control.List
}

// The bounds of pages.
const (
	defaultTake = 100
	maxTake     = 1000
	maxSearch   = 1000 // bytes
)

// readPaging reads the parameters of a list, whose order is that of the field: "desc"
// turns it round. Parameters that are given without a value are as if they were not
// given, and insertedDate is ignored: what it means is not public.
func readPaging(c *api.Call, field string) (paging, error) {
	current, err := whole(c.Query, "page", 1, math.MaxInt32)
	if err != nil {
		return paging{}, err
	}
	take, err := whole(c.Query, "take", defaultTake, maxTake)
	if err != nil {
		return paging{}, err
	}
	search := c.Query.Text("search")
	if len(search) > maxSearch {
		return paging{}, keyward.Faults{{Pointer: "/search", Detail: "is too long"}}.Err()
	}
	order := filter.Order{Name: field, Column: field, Descending: strings.EqualFold(c.Query.Text("order"), "desc")}
	return paging{current, control.List{
		Query: search, Sort: filter.Sort{order}, Limit: take, Offset: (current - 1) * take, Count: true,
	}}, nil
}

// whole reads a number from 1 to most.
func whole(q api.Query, name string, without, most int) (int, error) {
	if q.Text(name) == "" {
		return without, nil
	}
	return q.Int(name, without, 1, most)
}

func newPage[T any](wanted paging, found control.Found, items []T) page[T] {
	take := int64(wanted.list.Limit)
	return page[T]{
		CurrentPage: wanted.current, TotalPages: (found.Total + take - 1) / take, PageSize: wanted.list.Limit,
		TotalCount: found.Total, Items: items,
	}
}
