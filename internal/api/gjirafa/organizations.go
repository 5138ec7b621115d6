package gjirafa

import (
	"context"
	"encoding/json"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

// address is what only this vendor's clients know of an organization. It is the member
// "gjirafa" of the organization's profile.
type address struct {
	AddressLine1 string `json:"addressLine1"`
	AddressLine2 string `json:"addressLine2"`
	State        string `json:"state"`
	Country      string `json:"country"`
	City         string `json:"city"`
	VATNumber    string `json:"vatNumber"`
}

// profile is the part of an organization's profile that is ours.
type profile struct {
	Gjirafa address `json:"gjirafa"`
}

type oneOrganization struct {
	PublicID  string `json:"publicId"`
	IsDefault bool   `json:"isDefault"`
	Name      string `json:"name"`
	address
}

// newOrganization spells an organization. A key has one only, so it is the default.
func newOrganization(o *keyward.Organization) (oneOrganization, error) {
	shown := oneOrganization{PublicID: o.PublicID, IsDefault: true, Name: o.Name}
	if len(o.Profile) == 0 {
		return shown, nil
	}
	var kept profile
	if err := json.Unmarshal(o.Profile, &kept); err != nil {
		return shown, keyward.Errorf(keyward.Internal, "the profile of %s cannot be read: %w", o.ID, err)
	}
	shown.address = kept.Gjirafa
	return shown, nil
}

// createOrganization makes an organization. Keys never may, whatever they send.
func (h *handler) createOrganization(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := c.By.MayEverywhere(keyward.OrganizationsWrite); err != nil {
		return api.Answer{}, err
	}
	var in createOrganization
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	o, err := in.organization()
	if err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.CreateOrganization(ctx, c.By, o, control.Once{})
	if err != nil {
		return api.Answer{}, err
	}
	shown, err := newOrganization(out.Organization)
	return changed(out, shown), err
}

// createOrganization is what an organization is made of. The vendor marks all of it as
// mandatory.
type createOrganization struct {
	Name         *string `json:"name"`
	AddressLine1 *string `json:"addressLine1"`
	AddressLine2 *string `json:"addressLine2"`
	State        *string `json:"state"`
	Country      *string `json:"country"`
	City         *string `json:"city"`
	VATNumber    *string `json:"vatNumber"`
}

func (in *createOrganization) organization() (keyward.Organization, error) {
	var faults keyward.Faults
	text := func(pointer string, given *string) string {
		if given == nil {
			faults.Add(pointer, "is missing")
			return ""
		}
		return *given
	}
	o := keyward.Organization{Name: text("/name", in.Name), Enabled: true}
	kept, err := json.Marshal(profile{address{
		AddressLine1: text("/addressLine1", in.AddressLine1), AddressLine2: text("/addressLine2", in.AddressLine2),
		State: text("/state", in.State), Country: text("/country", in.Country), City: text("/city", in.City),
		VATNumber: text("/vatNumber", in.VATNumber),
	}})
	if err != nil {
		return o, err
	}
	o.Profile = kept
	return o, faults.Err()
}

func (h *handler) getOrganization(ctx context.Context, c *api.Call) (api.Answer, error) {
	found, err := h.plane.FindOrganization(ctx, c.By, c.Path("organizationId"))
	if err != nil {
		return api.Answer{}, err
	}
	o, err := h.plane.Organization(ctx, c.By, found.ID)
	if err != nil {
		return api.Answer{}, err
	}
	shown, err := newOrganization(o)
	return succeeded(shown), err
}

func (h *handler) listOrganizations(ctx context.Context, c *api.Call) (api.Answer, error) {
	wanted, err := readPaging(c, "createdTime")
	if err != nil {
		return api.Answer{}, err
	}
	organizations, found, err := h.plane.Organizations(ctx, c.By, wanted.list)
	if err != nil {
		return api.Answer{}, err
	}
	items := make([]oneOrganization, len(organizations))
	for i, o := range organizations {
		if items[i], err = newOrganization(o); err != nil {
			return api.Answer{}, err
		}
	}
	return succeeded(newPage(wanted, found, items)), nil
}
