package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"

	"keyward"
)

// UsageQuery says what of an organization's usage is wanted. The zero value is a sum of
// everything for each of the last 30 days.
type UsageQuery struct {
	From     keyward.Time     // only hours from the one that it is in; 0: 30 days before To
	To       keyward.Time     // only hours that begin before it; 0: now
	Interval keyward.Interval // "" is [keyward.Daily]
	ByKey    bool             // tell keys apart
	ByReason bool             // tell reasons apart
	KeyID    string           // only of this key
	Limit    int              // of one page, 1 to 1000; zero is the server's default
	Cursor   string           // where to go on, from [Page]
}

func (q UsageQuery) values() url.Values {
	values := url.Values{}
	groups := map[[2]bool]string{{true, false}: "key", {false, true}: "reason", {true, true}: "key,reason"}
	for name, value := range map[string]string{
		"from": q.From.String(), "to": q.To.String(), "interval": string(q.Interval),
		"groupBy": groups[[2]bool{q.ByKey, q.ByReason}], "keyId": q.KeyID, "cursor": q.Cursor,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if q.Limit != 0 {
		values.Set("limit", strconv.Itoa(q.Limit))
	}
	return values
}

// Usage returns how often the keys of an organization were verified, by key, time and
// reason, as far as the query tells them apart. Counts are in it some seconds after the
// answers. It fetches a page at a time; an error is the last thing it yields.
func (c *Client) Usage(ctx context.Context, organizationID string, query UsageQuery) iter.Seq2[keyward.UsageSum, error] {
	return pages[keyward.UsageSum](ctx, c, organizationsPath(organizationID, "usage"), query.values())
}

// UsagePage returns one page of [Client.Usage]. It may have fewer items than the limit
// although more follow.
func (c *Client) UsagePage(ctx context.Context, organizationID string, query UsageQuery) (Page[keyward.UsageSum], error) {
	return page[keyward.UsageSum](ctx, c, organizationsPath(organizationID, "usage"), query.values())
}
