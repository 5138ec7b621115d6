package native

import (
	"context"
	"strings"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

// listUsage lists how often the keys of an organization were verified.
func (h *handler) listUsage(ctx context.Context, c *api.Call) (api.Answer, error) {
	q, err := usageQuery(c)
	if err != nil {
		return api.Answer{}, err
	}
	sums, found, err := h.plane.Usage(ctx, c.By, c.Path("organizationId"), q)
	return page(c, sums, found, err)
}

// usageQuery reads the parameters and names all that are wrong.
func usageQuery(c *api.Call) (control.UsageQuery, error) {
	q := control.UsageQuery{Interval: keyward.Daily, KeyID: c.Query.Text("keyId"), Cursor: c.Query.Text("cursor")}
	var err error
	if q.Limit, err = c.Query.Int("limit", defaultLimit, 1, maxLimit); err != nil {
		return q, err
	}
	var faults keyward.Faults
	for name, into := range map[string]*keyward.Time{"from": &q.From, "to": &q.To} {
		if !c.Query.Has(name) {
			continue
		}
		if *into, err = keyward.ParseTime(c.Query.Text(name)); err != nil {
			faults.Add("/"+name, "%s", keyward.MessageOf(err))
		}
	}
	if c.Query.Has("interval") {
		if q.Interval = keyward.Interval(c.Query.Text("interval")); !q.Interval.Valid() {
			faults.Add("/interval", "must be hour, day or month")
		}
	}
	if c.Query.Has("groupBy") && !groupUsage(&q, c.Query.Text("groupBy")) {
		faults.Add("/groupBy", `must be key, reason, or both with "," between`)
	}
	if c.Query.Has("keyId") && q.KeyID == "" {
		faults.Add("/keyId", "is empty")
	}
	if c.Query.Has("cursor") && q.Cursor == "" {
		faults.Add("/cursor", "is not a cursor of this list")
	}
	return q, faults.Err()
}

// groupUsage reads what is told apart, and reports whether it can be.
func groupUsage(q *control.UsageQuery, text string) bool {
	for name := range strings.SplitSeq(text, ",") {
		by := &q.ByKey
		if name == "reason" {
			by = &q.ByReason
		} else if name != "key" {
			return false
		}
		if *by {
			return false
		}
		*by = true
	}
	return true
}
