package client

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
)

// List says what of a list is wanted, and in which order. The zero value is
// everything, in the order of creation.
type List struct {
	Filter string // such as "status:active;name:ci"
	Sort   string // such as "-createdTime,name"
	Query  string // free text that a name holds
	Limit  int    // of one page, 1 to 1000; zero is the server's default
	Cursor string // where to go on, from [Page]
	Count  bool   // have Page.Total counted
}

func (l List) values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{"filter": l.Filter, "sort": l.Sort, "q": l.Query, "cursor": l.Cursor} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if l.Limit != 0 {
		values.Set("limit", strconv.Itoa(l.Limit))
	}
	if l.Count {
		values.Set("count", "true")
	}
	return values
}

// Page is a part of a list.
type Page[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"nextCursor"`      // nil on the last page
	Total      *int64  `json:"total,omitempty"` // of all pages, if it was asked for
}

func page[T any](ctx context.Context, c *Client, path []string, query url.Values) (Page[T], error) {
	var p Page[T]
	err := c.do(ctx, call{method: http.MethodGet, path: path, query: query, into: &p})
	return p, err
}

// pages returns the items of all pages from the query's cursor on. An error ends them.
func pages[T any](ctx context.Context, c *Client, path []string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for at := maps.Clone(query); ; {
			p, err := page[T](ctx, c, path, at)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if p.NextCursor == nil {
				return
			}
			if *p.NextCursor == at.Get("cursor") {
				yield(none, errors.New("the list goes in circles"))
				return
			}
			at.Set("cursor", *p.NextCursor)
		}
	}
}
