package native

import (
	"context"
	"encoding/json"
	"net/http"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

func (h *handler) createOrganization(ctx context.Context, c *api.Call) (api.Answer, error) {
	var in struct {
		Name        string `json:"name"`
		Prefix      chosen `json:"prefix"`
		Recoverable bool   `json:"recoverable"`
		Enabled     *bool  `json:"enabled"`
		PublicID    chosen `json:"publicId"`
	}
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	once, err := once(c)
	if err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.CreateOrganization(ctx, c.By, keyward.Organization{
		Name: in.Name, Prefix: string(in.Prefix), Recoverable: in.Recoverable, PublicID: string(in.PublicID),
		Enabled: in.Enabled == nil || *in.Enabled,
	}, once)
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, http.StatusCreated, out.Organization), nil
}

func (h *handler) listOrganizations(ctx context.Context, c *api.Call) (api.Answer, error) {
	q, err := query(c, control.OrganizationFields())
	if err != nil {
		return api.Answer{}, err
	}
	organizations, found, err := h.plane.Organizations(ctx, c.By, q)
	return page(c, organizations, found, err)
}

func (h *handler) getOrganization(ctx context.Context, c *api.Call) (api.Answer, error) {
	o, err := h.plane.Organization(ctx, c.By, c.Path("organizationId"))
	return api.Answer{Body: o}, err
}

// organizationPatch is what updating an organization can change.
type organizationPatch struct {
	Name    string `json:"name"`
	Prefix  string `json:"prefix"`
	Enabled *bool  `json:"enabled"`
}

func (h *handler) updateOrganization(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := waited(c); err != nil {
		return api.Answer{}, err
	}
	change := func(o *keyward.Organization) error {
		merged, err := patched(organizationPatch{o.Name, o.Prefix, &o.Enabled}, c.Body())
		if err == nil && merged.Enabled == nil {
			err = keyward.Faults{{Pointer: "/enabled", Detail: "may not be null"}}.Err()
		}
		if err != nil {
			return err
		}
		o.Name, o.Prefix, o.Enabled = merged.Name, merged.Prefix, *merged.Enabled
		return nil
	}
	out, err := h.plane.UpdateOrganization(ctx, c.By, c.Path("organizationId"), change)
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, http.StatusOK, out.Organization), nil
}

// patched returns the document after a merge patch (RFC 7396).
func patched[T any](document T, patch []byte) (T, error) {
	var merged T
	target, err := json.Marshal(document)
	if err != nil {
		return merged, err
	}
	return merged, api.DecodePatch(target, patch, &merged)
}

func (h *handler) deleteOrganization(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := waited(c); err != nil {
		return api.Answer{}, err
	}
	return deleted(h.plane.DeleteOrganization(ctx, c.By, c.Path("organizationId")))
}

func (h *handler) createProject(ctx context.Context, c *api.Call) (api.Answer, error) {
	var in struct {
		Name     string `json:"name"`
		PublicID chosen `json:"publicId"`
	}
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	once, err := once(c)
	if err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.CreateProject(ctx, c.By,
		keyward.Project{OrganizationID: c.Path("organizationId"), Name: in.Name, PublicID: string(in.PublicID)}, once)
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, http.StatusCreated, out.Project), nil
}

func (h *handler) listProjects(ctx context.Context, c *api.Call) (api.Answer, error) {
	q, err := query(c, control.ProjectFields())
	if err != nil {
		return api.Answer{}, err
	}
	projects, found, err := h.plane.Projects(ctx, c.By, c.Path("organizationId"), q)
	return page(c, projects, found, err)
}

func (h *handler) getProject(ctx context.Context, c *api.Call) (api.Answer, error) {
	project, err := h.plane.Project(ctx, c.By, c.Path("organizationId"), c.Path("projectId"))
	return api.Answer{Body: project}, err
}

// projectPatch is what updating a project can change.
type projectPatch struct {
	Name string `json:"name"`
}

func (h *handler) updateProject(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := waited(c); err != nil {
		return api.Answer{}, err
	}
	change := func(project *keyward.Project) error {
		merged, err := patched(projectPatch{project.Name}, c.Body())
		project.Name = merged.Name
		return err
	}
	out, err := h.plane.UpdateProject(ctx, c.By, c.Path("organizationId"), c.Path("projectId"), change)
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, http.StatusOK, out.Project), nil
}

func (h *handler) deleteProject(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := waited(c); err != nil {
		return api.Answer{}, err
	}
	return deleted(h.plane.DeleteProject(ctx, c.By, c.Path("organizationId"), c.Path("projectId")))
}
