package control

import (
	"context"
	"slices"

	"keyward"
	"keyward/internal/store"
)

// Project returns an organization's project with this id or public id.
func (p *Plane) Project(ctx context.Context, by keyward.Actor, organizationID, id string) (*keyward.Project, error) {
	if err := p.readable(ctx, by, keyward.ProjectsRead, organizationID); err != nil {
		return nil, err
	}
	project, err := p.store.Project(ctx, organizationID, id)
	if err != nil {
		return nil, err
	}
	if reach := by.Projects(keyward.ProjectsRead); !reach.Any([]string{project.ID}) {
		return nil, keyward.Errorf(keyward.NotFound, "no such project")
	}
	return project, nil
}

// FindProject returns the project of the actor's organization with this id or public
// id, for surfaces whose paths take either. It needs no right beyond reaching it: what
// is then done there does.
func (p *Plane) FindProject(ctx context.Context, by keyward.Actor, id string) (*keyward.Project, error) {
	return p.store.Project(ctx, by.OrganizationID, id)
}

// ProjectFor is [Plane.FindProject] for what takes the permission about keys there. An
// actor that has it nowhere is Forbidden, whether or not there is such a project; one
// that has it in other projects only, and cannot read the keys of this one either, gets
// NotFound.
func (p *Plane) ProjectFor(ctx context.Context, by keyward.Actor, permission keyward.Permission, id string) (*keyward.Project, error) {
	if err := by.May(permission, by.OrganizationID); err != nil {
		return nil, err
	}
	project, err := p.FindProject(ctx, by, id)
	if err != nil {
		return nil, err
	}
	here := []string{project.ID}
	reach, readable := by.Projects(permission), by.Projects(keyward.KeysRead)
	switch {
	case reach.Any(here):
		return project, nil
	case readable.Any(here):
		return nil, keyward.Errorf(keyward.Forbidden, "needs %s in this project", permission)
	}
	return nil, keyward.Errorf(keyward.NotFound, "no such project")
}

// Projects returns one page of an organization's projects: those that the actor
// reaches.
func (p *Plane) Projects(ctx context.Context, by keyward.Actor, organizationID string, query List) ([]*keyward.Project, Found, error) {
	if err := p.readable(ctx, by, keyward.ProjectsRead, organizationID); err != nil {
		return nil, Found{}, err
	}
	page, err := p.page(query, "projects", organizationID)
	if err != nil {
		return nil, Found{}, err
	}
	projects, found, err := p.store.Projects(ctx, organizationID, by.Projects(keyward.ProjectsRead), page)
	return projects, p.found(query, found, "projects", organizationID), err
}

// projectsAtOnce is how many projects one query of [Plane.ProjectsOf] looks for.
const projectsAtOnce = 100

// ProjectsOf returns those of an organization's projects that have one of the ids, by
// id. It takes keys.read, not projects.read: whoever reads a key may know what the
// projects are called that it is in.
func (p *Plane) ProjectsOf(ctx context.Context, by keyward.Actor, organizationID string, ids []string) (map[string]*keyward.Project, error) {
	if err := p.readable(ctx, by, keyward.KeysRead, organizationID); err != nil {
		return nil, err
	}
	named := make(map[string]*keyward.Project, len(ids))
	for some := range slices.Chunk(ids, projectsAtOnce) {
		for len(some) < projectsAtOnce { // so that all queries are the same text
			some = append(some, some[0])
		}
		page := store.Page{Limit: projectsAtOnce, Now: p.now()}
		projects, _, err := p.store.Projects(ctx, organizationID, keyward.Reach{ProjectIDs: some}, page)
		if err != nil {
			return nil, err
		}
		for _, project := range projects {
			named[project.ID] = project
		}
	}
	return named, nil
}

// CreateProject adds a project to its organization. Its public id may be chosen.
func (p *Plane) CreateProject(ctx context.Context, by keyward.Actor, project keyward.Project, once Once) (Outcome, error) {
	if project.PublicID == "" {
		project.PublicID = keyward.NewPublicID()
	}
	may := func(by keyward.Actor) error { return mayWriteProjects(by, project.OrganizationID) }
	return p.once(ctx, by, once, may, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		if _, err := p.lockOrganization(ctx, tx, project.OrganizationID); err != nil {
			return Outcome{}, err
		}
		if err := mayWriteProjects(by, project.OrganizationID); err != nil {
			return Outcome{}, err
		}
		if err := project.Validate(); err != nil {
			return Outcome{}, err
		}
		project := project // may run again
		project.CreatedTime = p.now()
		project.UpdatedTime = project.CreatedTime
		project.ID = p.ids.New(keyward.ProjectPrefix, project.CreatedTime)
		if err := tx.InsertProject(ctx, &project); err != nil {
			return Outcome{}, err
		}
		p.record(tx, by, keyward.ProjectCreated, project.OrganizationID, projectTarget(&project), differences(nil, project))
		return Outcome{Project: &project}, nil
	})
}

// mayWriteProjects: a right that is limited to some projects makes no new one.
func mayWriteProjects(by keyward.Actor, organizationID string) error {
	return by.MayThroughout(keyward.ProjectsWrite, organizationID)
}

func projectTarget(project *keyward.Project) keyward.ChangeTarget {
	return keyward.ChangeTarget{Type: keyward.ProjectTarget, ID: project.ID}
}

// UpdateProject applies change to a project.
func (p *Plane) UpdateProject(ctx context.Context, by keyward.Actor, organizationID, id string, change func(*keyward.Project) error) (Outcome, error) {
	if err := by.May(keyward.ProjectsWrite, organizationID); err != nil {
		return Outcome{}, err
	}
	return p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		before, err := p.writableProject(ctx, tx, by, organizationID, id)
		if err != nil {
			return Outcome{}, err
		}
		after := *before
		if err := change(&after); err != nil {
			return Outcome{}, err
		}
		if err := after.Validate(); err != nil {
			return Outcome{}, err
		}
		changes := differences(before, after)
		if len(changes) == 0 {
			return Outcome{Project: before}, nil
		}
		after.UpdatedTime = p.now()
		if err := tx.UpdateProject(ctx, &after); err != nil {
			return Outcome{}, err
		}
		p.record(tx, by, keyward.ProjectUpdated, organizationID, projectTarget(&after), changes)
		return Outcome{Project: &after}, nil
	})
}

// writableProject returns a project that the actor may change.
func (p *Plane) writableProject(ctx context.Context, tx *store.Tx, by keyward.Actor, organizationID, id string) (*keyward.Project, error) {
	if _, err := p.lockOrganization(ctx, tx, organizationID); err != nil {
		return nil, err
	}
	project, err := tx.Project(ctx, organizationID, id)
	if err != nil {
		return nil, err
	}
	here := []string{project.ID}
	read, write := by.Projects(keyward.ProjectsRead), by.Projects(keyward.ProjectsWrite)
	switch {
	case write.Every(here):
		return project, nil
	case read.Any(here):
		return nil, keyward.Errorf(keyward.Forbidden, "needs %s in this project", keyward.ProjectsWrite)
	}
	return nil, keyward.Errorf(keyward.NotFound, "no such project")
}

// DeleteProject ends a project. Its keys stay, and lose the membership.
func (p *Plane) DeleteProject(ctx context.Context, by keyward.Actor, organizationID, id string) (Outcome, error) {
	if err := by.May(keyward.ProjectsWrite, organizationID); err != nil {
		return Outcome{}, err
	}
	return p.change(ctx, by, Once{}, func(tx *store.Tx, by keyward.Actor) (Outcome, error) {
		project, err := p.writableProject(ctx, tx, by, organizationID, id)
		if err != nil {
			return Outcome{}, err
		}
		if err := tx.DeleteProject(ctx, organizationID, project.ID, p.now()); err != nil {
			return Outcome{}, err
		}
		p.record(tx, by, keyward.ProjectDeleted, organizationID, projectTarget(project), differences(project, nil))
		return Outcome{}, nil
	})
}
