package native

import (
	"context"
	"net/http"
	"strconv"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

func (h *handler) createRole(ctx context.Context, c *api.Call) (api.Answer, error) {
	var in struct {
		Name        string  `json:"name"`
		Description string  `json:"description"`
		Management  []grant `json:"management"`
		Enabled     *bool   `json:"enabled"`
	}
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	var faults keyward.Faults
	management := grants(&faults, "/management", in.Management)
	if err := faults.Err(); err != nil {
		return api.Answer{}, err
	}
	once, err := once(c)
	if err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.CreateRole(ctx, c.By, keyward.KeyRole{
		OrganizationID: c.Path("organizationId"), Name: in.Name, Description: in.Description,
		Management: management, Enabled: in.Enabled == nil || *in.Enabled,
	}, once)
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, http.StatusCreated, out.Role), nil
}

func (h *handler) listRoles(ctx context.Context, c *api.Call) (api.Answer, error) {
	q, err := query(c, control.RoleFields())
	if err != nil {
		return api.Answer{}, err
	}
	roles, found, err := h.plane.Roles(ctx, c.By, c.Path("organizationId"), q)
	return page(c, roles, found, err)
}

func (h *handler) getRole(ctx context.Context, c *api.Call) (api.Answer, error) {
	role, err := h.plane.Role(ctx, c.By, c.Path("organizationId"), roleNumber(c))
	return api.Answer{Body: role}, err
}

// roleNumber returns the number in the path, and 0, which no role has, for any other
// text.
func roleNumber(c *api.Call) int32 {
	text := c.Path("number")
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || strconv.FormatInt(n, 10) != text {
		return 0
	}
	return int32(n)
}

// rolePatch is what updating a role can change.
type rolePatch struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Management  []grant `json:"management"`
	Enabled     *bool   `json:"enabled"`
}

// patchableRole returns a role as the document that a merge patch is applied to.
func patchableRole(role *keyward.KeyRole) rolePatch {
	management := make([]grant, len(role.Management))
	for i := range role.Management {
		management[i] = grant{&role.Management[i].Scope, &role.Management[i].Permissions}
	}
	return rolePatch{role.Name, role.Description, management, &role.Enabled}
}

func (h *handler) updateRole(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := waited(c); err != nil {
		return api.Answer{}, err
	}
	change := func(role *keyward.KeyRole) error {
		merged, err := patched(patchableRole(role), c.Body())
		if err != nil {
			return err
		}
		var faults keyward.Faults
		role.Management = grants(&faults, "/management", merged.Management)
		if merged.Enabled == nil {
			faults.Add("/enabled", "may not be null")
		} else {
			role.Enabled = *merged.Enabled
		}
		role.Name, role.Description = merged.Name, merged.Description
		return faults.Err()
	}
	out, err := h.plane.UpdateRole(ctx, c.By, c.Path("organizationId"), roleNumber(c), change)
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, http.StatusOK, out.Role), nil
}

func (h *handler) deleteRole(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := waited(c); err != nil {
		return api.Answer{}, err
	}
	return deleted(h.plane.DeleteRole(ctx, c.By, c.Path("organizationId"), roleNumber(c)))
}
