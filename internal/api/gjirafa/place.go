package gjirafa

import (
	"context"
	"slices"
	"strconv"

	"keyward"
	"keyward/internal/api"
)

// place is where the keys of a path are: in an organization, or in one project of it.
type place struct {
	organizationID string
	projectID      string // "" is all of the organization
}

// place returns where a call is about. What is about an organization takes the
// permission in all of it: who has it in some projects only is the vendor's "Project
// Owner", for whom there are the paths of those projects.
func (h *handler) place(ctx context.Context, c *api.Call, permission keyward.Permission) (place, error) {
	if id := c.Path("projectId"); id != "" {
		project, err := h.plane.ProjectFor(ctx, c.By, permission, id)
		if err != nil {
			return place{}, err
		}
		return place{project.OrganizationID, project.ID}, nil
	}
	organization, err := h.plane.FindOrganization(ctx, c.By, c.Path("organizationId"))
	if err != nil {
		return place{}, err
	}
	return place{organizationID: organization.ID}, c.By.MayThroughout(permission, organization.ID)
}

// holds returns NotFound for a key that is somewhere else.
func (p place) holds(key *keyward.Key) error {
	if p.projectID == "" || slices.Contains(key.ProjectIDs, p.projectID) {
		return nil
	}
	return keyward.Errorf(keyward.NotFound, "no such key in this project")
}

// find returns the place's key with this number, for what takes the permission.
func (h *handler) find(ctx context.Context, by keyward.Actor, permission keyward.Permission, at place, number int32) (*keyward.Key, error) {
	key, err := h.plane.KeyByNumber(ctx, by, permission, at.organizationID, number)
	if err == nil {
		err = at.holds(key)
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

// findNamed returns the key that the path names, and where it is.
func (h *handler) findNamed(ctx context.Context, c *api.Call, permission keyward.Permission) (*keyward.Key, place, error) {
	at, err := h.place(ctx, c, permission)
	if err != nil {
		return nil, place{}, err
	}
	number, err := numberIn(c)
	if err != nil {
		return nil, place{}, err
	}
	key, err := h.find(ctx, c.By, permission, at, number)
	return key, at, err
}

// numberIn reads the id in the path, an int32 as JSON would write it.
func numberIn(c *api.Call) (int32, error) {
	text := c.Path("id")
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil || strconv.FormatInt(number, 10) != text {
		return 0, keyward.Faults{{Pointer: "/id", Detail: "must be a whole number of 32 bits"}}.Err()
	}
	return int32(number), nil
}
