package gjirafa

import (
	"context"

	"keyward"
	"keyward/internal/api"
)

type oneRole struct {
	ID             int32  `json:"id"`
	Name           string `json:"name"`
	Description    string `json:"description"`
	IsActive       bool   `json:"isActive"`
	OrganizationID *int32 `json:"organizationId"` // null, as in the vendor's examples: organizations have no number
}

func newRole(role *keyward.KeyRole) oneRole {
	shown := oneRole{ID: role.Number, Name: role.Name, Description: role.Description, IsActive: role.Enabled}
	if role.BuiltIn {
		shown.Description = "System Role"
	}
	return shown
}

// rolesOf returns the id of the organization whose roles are asked for: that of the
// project or of the organization that the path or the query names, else the actor's
// own.
func (h *handler) rolesOf(ctx context.Context, c *api.Call) (string, error) {
	project := c.Path("projectId")
	if project == "" {
		project = c.Query.Text("projectId")
	}
	if project != "" {
		if _, err := h.plane.ProjectFor(ctx, c.By, keyward.OrganizationsRead, project); err != nil {
			return "", err
		}
	}
	if id := c.Query.Text("organizationId"); id != "" {
		if _, err := h.plane.FindOrganization(ctx, c.By, id); err != nil {
			return "", err
		}
	}
	return c.By.OrganizationID, nil
}

func (h *handler) listRoles(ctx context.Context, c *api.Call) (api.Answer, error) {
	organizationID, err := h.rolesOf(ctx, c)
	if err != nil {
		return api.Answer{}, err
	}
	wanted, err := readPaging(c, "number")
	if err != nil {
		return api.Answer{}, err
	}
	roles, found, err := h.plane.Roles(ctx, c.By, organizationID, wanted.list)
	if err != nil {
		return api.Answer{}, err
	}
	items := make([]oneRole, len(roles))
	for i, role := range roles {
		items[i] = newRole(role)
	}
	return succeeded(newPage(wanted, found, items)), nil
}

func (h *handler) getRole(ctx context.Context, c *api.Call) (api.Answer, error) {
	organizationID, err := h.rolesOf(ctx, c)
	if err != nil {
		return api.Answer{}, err
	}
	number, err := numberIn(c)
	if err != nil {
		return api.Answer{}, err
	}
	role, err := h.plane.Role(ctx, c.By, organizationID, number)
	if err != nil {
		return api.Answer{}, err
	}
	return succeeded(newRole(role)), nil
}
