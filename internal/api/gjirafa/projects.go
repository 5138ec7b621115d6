package gjirafa

import (
	"context"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

// oneProject is a project as all answers but lists spell it. Keyward knows nothing of
// the last four members.
type oneProject struct {
	PublicProjectID      string  `json:"publicProjectId"`
	Name                 string  `json:"name"`
	PublicOrganizationID string  `json:"publicOrganizationId"`
	OrderNumber          int32   `json:"orderNumber"`
	IsDefault            bool    `json:"isDefault"`
	BiskoID              *string `json:"biskoId"`
	PrebidConfigID       *string `json:"prebidConfigId"`
}

func newProject(project *keyward.Project, of *keyward.Organization) oneProject {
	return oneProject{PublicProjectID: project.PublicID, Name: project.Name, PublicOrganizationID: of.PublicID}
}

// projectItem is a project as lists spell it. Who made it is not known.
type projectItem struct {
	PublicProjectID string `json:"publicProjectId"`
	UserPublicID    string `json:"userPublicId"`
	OrganizationID  string `json:"organizationId"`
	Name            string `json:"name"`
	IsDefault       bool   `json:"isDefault"`
}

func (h *handler) listProjects(ctx context.Context, c *api.Call) (api.Answer, error) {
	of, err := h.plane.FindOrganization(ctx, c.By, c.Path("organizationId"))
	if err != nil {
		return api.Answer{}, err
	}
	wanted, err := readPaging(c, "createdTime")
	if err != nil {
		return api.Answer{}, err
	}
	projects, found, err := h.plane.Projects(ctx, c.By, of.ID, wanted.list)
	if err != nil {
		return api.Answer{}, err
	}
	items := make([]projectItem, len(projects))
	for i, project := range projects {
		items[i] = projectItem{PublicProjectID: project.PublicID, OrganizationID: of.PublicID, Name: project.Name}
	}
	return succeeded(newPage(wanted, found, items)), nil
}

func (h *handler) createProject(ctx context.Context, c *api.Call) (api.Answer, error) {
	of, err := h.plane.FindOrganization(ctx, c.By, c.Path("organizationId"))
	if err != nil {
		return api.Answer{}, err
	}
	var in struct {
		Name string `json:"name"`
	}
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.CreateProject(ctx, c.By, keyward.Project{OrganizationID: of.ID, Name: in.Name}, control.Once{})
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, newProject(out.Project, of), "Project created successfully!"), nil
}

func (h *handler) getProject(ctx context.Context, c *api.Call) (api.Answer, error) {
	project, err := h.plane.Project(ctx, c.By, c.By.OrganizationID, c.Path("projectId"))
	if err != nil {
		return api.Answer{}, err
	}
	of, err := h.plane.FindOrganization(ctx, c.By, project.OrganizationID)
	if err != nil {
		return api.Answer{}, err
	}
	return succeeded(newProject(project, of)), nil
}

// putExternalProjects would have the vendor copy a project into its other products.
// There are none here, so that nothing changes; who may not change the project is told
// so.
func (h *handler) putExternalProjects(ctx context.Context, c *api.Call) (api.Answer, error) {
	nothing := func(*keyward.Project) error { return nil }
	out, err := h.plane.UpdateProject(ctx, c.By, c.By.OrganizationID, c.Path("projectId"), nothing)
	if err != nil {
		return api.Answer{}, err
	}
	of, err := h.plane.FindOrganization(ctx, c.By, out.Project.OrganizationID)
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, newProject(out.Project, of)), nil
}
