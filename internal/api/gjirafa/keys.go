package gjirafa

import (
	"context"
	"maps"
	"slices"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

func (h *handler) listKeys(ctx context.Context, c *api.Call) (api.Answer, error) {
	at, err := h.place(ctx, c, keyward.KeysRead)
	if err != nil {
		return api.Answer{}, err
	}
	all := h.plane.AllKeys(ctx, c.By, at.organizationID)
	if at.projectID != "" {
		all = h.plane.AllKeysOf(ctx, c.By, at.organizationID, at.projectID)
	}
	var keys []*keyward.Key
	for key, err := range all {
		if err != nil {
			return api.Answer{}, err
		}
		keys = append(keys, key)
	}
	return h.listed(ctx, c.By, at.organizationID, keys)
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

func (h *handler) getKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	key, _, err := h.findNamed(ctx, c, keyward.KeysRead)
	if err != nil {
		return api.Answer{}, err
	}
	shown, err := h.shown(ctx, c.By, key)
	return succeeded(shown), err
}

// shown spells a key, with its secret if the actor may read it.
func (h *handler) shown(ctx context.Context, by keyward.Actor, key *keyward.Key) (oneKey, error) {
	secrets, err := h.plane.Reveal(ctx, by, key.OrganizationID, []*keyward.Key{key})
	return newOneKey(key, secrets[key.ID]), err
}

// createKey makes a key. In the paths of a project, the key is in that project
// whatever the body says.
func (h *handler) createKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	at, err := h.place(ctx, c, keyward.KeysCreate)
	if err != nil {
		return api.Answer{}, err
	}
	var in createKey
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	key, err := in.key(h.now())
	if err != nil {
		return api.Answer{}, err
	}
	if key.ProjectIDs, err = h.resolve(ctx, c.By, in.Projects, "/listProjectsId"); err != nil {
		return api.Answer{}, err
	}
	if at.holds(&key) != nil {
		key.ProjectIDs = append(key.ProjectIDs, at.projectID)
	}
	key.OrganizationID = at.organizationID
	out, err := h.plane.CreateVendorKey(ctx, c.By, key, control.Terms{Role: *in.RoleID})
	if err != nil {
		return api.Answer{}, createSpelling.of(err, in.Projects, key.ProjectIDs)
	}
	return changed(out, newOneKey(out.Key, out.Secret)), nil
}

func (h *handler) updateKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	at, err := h.place(ctx, c, keyward.KeysUpdate)
	if err != nil {
		return api.Answer{}, err
	}
	var in updateKey
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	if in.ID == nil {
		return api.Answer{}, missing("/id")
	}
	key, err := h.find(ctx, c.By, keyward.KeysUpdate, at, *in.ID)
	if err != nil {
		return api.Answer{}, err
	}
	out, err := h.change(ctx, c.By, at, key, in.apply)
	if err != nil {
		return api.Answer{}, updateSpelling.of(err, nil, nil)
	}
	shown, err := h.shown(ctx, c.By, out.Key)
	if keyward.CodeOf(err) == keyward.Unauthenticated { // the key has just ended itself
		shown, err = newOneKey(out.Key, keyward.Secret{}), nil
	}
	return changed(out, shown), err
}

// change updates a key that was found in the place, if it is still there.
func (h *handler) change(ctx context.Context, by keyward.Actor, at place, key *keyward.Key, change func(*keyward.Key) (*control.Terms, error)) (control.Outcome, error) {
	return h.plane.UpdateVendorKey(ctx, by, at.organizationID, key.ID, func(key *keyward.Key) (*control.Terms, error) {
		if err := at.holds(key); err != nil {
			return nil, err
		}
		return change(key)
	})
}

func (h *handler) deleteKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	key, at, err := h.findNamed(ctx, c, keyward.KeysDelete)
	if err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.DeleteKey(ctx, c.By, at.organizationID, key.ID, 0)
	return changed(out, true), err
}
