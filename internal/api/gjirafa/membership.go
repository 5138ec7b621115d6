package gjirafa

import (
	"context"
	"fmt"
	"slices"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

// addToProjects puts a key into projects. Being there already is no error.
func (h *handler) addToProjects(ctx context.Context, c *api.Call) (api.Answer, error) {
	at, err := h.place(ctx, c, keyward.KeysUpdate)
	if err != nil {
		return api.Answer{}, err
	}
	var in struct {
		ID       *int32   `json:"apiKeyId"`
		Projects []string `json:"projectIds"`
	}
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	if in.ID == nil {
		return api.Answer{}, missing("/apiKeyId")
	}
	if in.Projects == nil {
		return api.Answer{}, missing("/projectIds")
	}
	key, err := h.find(ctx, c.By, keyward.KeysUpdate, at, *in.ID)
	if err != nil {
		return api.Answer{}, err
	}
	ids, err := h.resolve(ctx, c.By, in.Projects, "/projectIds")
	if err != nil {
		return api.Answer{}, err
	}
	var all []string
	out, err := h.change(ctx, c.By, at, key, func(key *keyward.Key) (*control.Terms, error) {
		all = distinct(slices.Concat(key.ProjectIDs, ids))
		key.ProjectIDs = all
		return nil, nil
	})
	if err != nil {
		return api.Answer{}, membershipSpelling.of(err, in.Projects, all)
	}
	return changed(out, true), nil
}

// removeFromProject takes a key out of a project. Not being there is no error.
func (h *handler) removeFromProject(ctx context.Context, c *api.Call) (api.Answer, error) {
	key, at, err := h.findNamed(ctx, c, keyward.KeysUpdate)
	if err != nil {
		return api.Answer{}, err
	}
	id := c.Query.Text("projectId")
	if id == "" {
		return api.Answer{}, missing("/projectId")
	}
	project, err := h.plane.ProjectFor(ctx, c.By, keyward.KeysUpdate, id)
	if err != nil {
		return api.Answer{}, err
	}
	out, err := h.change(ctx, c.By, at, key, func(key *keyward.Key) (*control.Terms, error) {
		key.ProjectIDs = slices.DeleteFunc(slices.Clone(key.ProjectIDs), func(id string) bool { return id == project.ID })
		return nil, nil
	})
	return changed(out, true), err
}

// maxProjects is how many projects one request may name: no key is in more.
const maxProjects = 100

// resolve returns the ids of projects that are named by their ids or public ids, each
// once. What names none is left as it is, for the services to refuse: who may not learn
// which projects there are does not learn it here. The pointer is where they stand.
func (h *handler) resolve(ctx context.Context, by keyward.Actor, named []string, pointer string) ([]string, error) {
	if len(named) > maxProjects {
		return nil, keyward.Faults{{Pointer: pointer, Detail: fmt.Sprintf("has more than %d projects", maxProjects)}}.Err()
	}
	ids := slices.Clone(named)
	for i, id := range named {
		project, err := h.plane.FindProject(ctx, by, id)
		switch {
		case err == nil:
			ids[i] = project.ID
		case keyward.CodeOf(err) != keyward.NotFound:
			return nil, err
		}
	}
	return distinct(ids), nil
}

// distinct returns the texts, each where it comes first.
func distinct(texts []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(texts), func(text string) bool {
		was := seen[text]
		seen[text] = true
		return was
	})
}
