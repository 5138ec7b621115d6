package gjirafa

import (
	"context"
	"maps"
	"slices"

	"keyward"
	"keyward/internal/api"
)

// listOrganizationKeys lists all keys of an organization. A key that may read those of
// some projects only is the vendor's "Project Owner", for whom there is the list of
// one project.
func (h *handler) listOrganizationKeys(ctx context.Context, c *api.Call) (api.Answer, error) {
	organization, err := h.plane.FindOrganization(ctx, c.By, c.Path("organizationId"))
	if err != nil {
		return api.Answer{}, err
	}
	if err := h.plane.MayReadAllKeys(c.By, organization.ID); err != nil {
		return api.Answer{}, err
	}
	var keys []*keyward.Key
	for key, err := range h.plane.AllKeys(ctx, c.By, organization.ID) {
		if err != nil {
			return api.Answer{}, err
		}
		keys = append(keys, key)
	}
	return h.listed(ctx, c.By, organization.ID, keys)
}

// listed answers with keys of an organization: what their projects are called, and
// the secrets that the actor may read.
func (h *handler) listed(ctx context.Context, by keyward.Actor, organizationID string, keys []*keyward.Key) (api.Answer, error) {
	projects, err := h.plane.ProjectsOf(ctx, by, organizationID, projectIDs(keys))
	if err != nil {
		return api.Answer{}, err
	}
	secrets, err := h.plane.Reveal(ctx, by, organizationID, keys)
	if err != nil {
		return api.Answer{}, err
	}
	items := make([]listItem, len(keys))
	for i, key := range keys {
		items[i] = newListItem(key, secrets[key.ID], projects)
	}
	return succeeded(items), nil
}

// projectIDs returns the projects that the keys are in, each once.
func projectIDs(keys []*keyward.Key) []string {
	seen := map[string]bool{}
	for _, key := range keys {
		for _, id := range key.ProjectIDs {
			seen[id] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
