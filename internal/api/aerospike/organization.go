package aerospike

import (
	"context"

	"keyward"
	"keyward/internal/api"
)

// getOrganization answers with the caller's one organization.
func (h *handler) getOrganization(ctx context.Context, c *api.Call) (api.Answer, error) {
	o, err := h.plane.Organization(ctx, c.By, c.By.OrganizationID)
	if err != nil {
		return api.Answer{}, inScope(c, err, keyward.OrganizationsRead)
	}
	return api.Answer{Body: organization{ID: o.ID, Name: o.Name}}, nil
}
