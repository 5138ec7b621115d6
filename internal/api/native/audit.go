package native

import (
	"context"
	"strconv"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
	"keyward/internal/filter"
)

// listAudit lists the audit trail of the organization in the path, or of the whole
// deployment if there is none: the newest first, unless another order is asked for.
func (h *handler) listAudit(ctx context.Context, c *api.Call) (api.Answer, error) {
	q, err := query(c, control.ChangeFields())
	if err != nil {
		return api.Answer{}, err
	}
	if len(q.Sort) == 0 {
		q.Sort = filter.Sort{{Name: "seq", Column: "seq", Descending: true}}
	}
	events, found, err := h.plane.Changes(ctx, c.By, c.Path("organizationId"), q)
	return page(c, events, found, err)
}

// getChange tells how far a change has come.
func (h *handler) getChange(ctx context.Context, c *api.Call) (api.Answer, error) {
	text := c.Path("seq")
	seq, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seq <= 0 || strconv.FormatInt(seq, 10) != text {
		return api.Answer{}, keyward.Errorf(keyward.NotFound, "no such change")
	}
	change, receipt, err := h.plane.Change(ctx, c.By, seq)
	if err != nil {
		return api.Answer{}, err
	}
	return api.Answer{Body: struct {
		Seq         int64               `json:"seq"`
		Time        keyward.Time        `json:"time"`
		Propagation keyward.Propagation `json:"propagation"`
	}{change.Seq, change.Time, receipt.Propagation}}, nil
}
