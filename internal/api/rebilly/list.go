package rebilly

import (
	"context"
	"math"
	"net/http"
	"strconv"

	"keyward/internal/api"
	"keyward/internal/control"
	"keyward/internal/filter"
)

// listKeys is GetApiKeyCollection.
func (h *handler) listKeys(ctx context.Context, c *api.Call) (api.Answer, error) {
	organizationID, err := organizationOf(c)
	if err != nil {
		return api.Answer{}, err
	}
	q, err := query(c, keyFields())
	if err != nil {
		return api.Answer{}, err
	}
	q.HideRevoked = true
	found, of, err := h.plane.Keys(ctx, c.By, organizationID, q)
	if err != nil {
		return api.Answer{}, err
	}
	secrets, err := h.plane.Reveal(ctx, c.By, organizationID, found)
	if err != nil {
		return api.Answer{}, err
	}
	body := make([]apiKey, len(found))
	for i, key := range found {
		body[i] = h.fromKey(ctx, key, secrets[key.ID])
	}
	return api.Answer{Body: body, Header: pagination(q, of)}, nil
}

// The bounds of a page. The vendor names none for the offset in the snapshot of 2022,
// and 1000 since.
const (
	defaultLimit = 100
	maxLimit     = 1000
	maxOffset    = math.MaxInt32
	defaultSort  = "-createdTime"
)

// keyFields are what keys can be filtered and sorted by, in the vendor's names. Ids
// are text, since the vendor matches all text without regard to case. All may be
// compared with null, as the vendor's are, though none of them ever is null.
func keyFields() filter.Schema {
	return filter.Schema{
		{Name: "id", Kind: filter.Text, Nullable: true, Sortable: true},
		{Name: "description", Column: "name", Kind: filter.Text, Nullable: true, Sortable: true},
		{Name: "type", Kind: filter.Enum, Values: []string{"secret", "publishable"}, Nullable: true, Sortable: true},
		{Name: "apiUser", Kind: filter.Text, Nullable: true},
		{Name: "createdTime", Kind: filter.Instant, Nullable: true, Sortable: true},
		{Name: "updatedTime", Kind: filter.Instant, Nullable: true, Sortable: true},
	}
}

// query reads the parameters of a list.
func query(c *api.Call, fields filter.Schema) (control.List, error) {
	q := control.List{Count: true}
	var err error
	if q.Limit, err = c.Query.Int("limit", defaultLimit, 0, maxLimit); err != nil {
		return q, err
	}
	if q.Offset, err = c.Query.Int("offset", 0, 0, maxOffset); err != nil {
		return q, err
	}
	sort := c.Query.Text("sort")
	if sort == "" {
		sort = defaultSort
	}
	if q.Sort, err = filter.ParseSort(sort, fields); err != nil {
		return q, err
	}
	q.Filter, err = filter.Parse(c.Query.Text("filter"), fields)
	return q, err
}

// pagination returns the headers of a page. They are always there: the vendor's PHP
// client divides by the limit.
func pagination(q control.List, found control.Found) http.Header {
	return http.Header{
		"Pagination-Total":  {strconv.FormatInt(found.Total, 10)},
		"Pagination-Limit":  {strconv.Itoa(q.Limit)},
		"Pagination-Offset": {strconv.Itoa(q.Offset)},
	}
}
