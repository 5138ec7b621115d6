package rebilly

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"unicode/utf8"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
	"keyward/internal/filter"
)

// shownOrganization is an organization on the wire.
type shownOrganization struct {
	ID             string       `json:"id"`
	Name           string       `json:"name"`
	Country        string       `json:"country,omitempty"`
	ReportCurrency string       `json:"reportCurrency,omitempty"`
	Settings       settings     `json:"settings"`
	CreatedTime    keyward.Time `json:"createdTime"`
	UpdatedTime    keyward.Time `json:"updatedTime"`
	Links          []link       `json:"_links"`
}

// organizationInput is what a client can write of an organization.
type organizationInput struct {
	Name string `json:"name"`
	profile
}

// listOrganizations is GetOrganizationCollection.
func (h *handler) listOrganizations(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := h.enter(ctx, c); err != nil {
		return api.Answer{}, err
	}
	q, err := query(c, organizationFields())
	if err != nil {
		return api.Answer{}, err
	}
	if q.Query = c.Query.Text("q"); len(q.Query) > maxQuery {
		return api.Answer{}, keyward.Faults{{Pointer: "/q", Detail: fmt.Sprintf("is longer than %d bytes", maxQuery)}}.Err()
	}
	found, of, err := h.plane.Organizations(ctx, c.By, q)
	if err != nil {
		return api.Answer{}, err
	}
	body := make([]shownOrganization, len(found))
	for i, o := range found {
		if body[i], err = h.fromOrganization(ctx, o); err != nil {
			return api.Answer{}, err
		}
	}
	return api.Answer{Body: body, Header: pagination(q, of)}, nil
}

// maxQuery is how long free text may be, in bytes.
const maxQuery = 255

// organizationFields are what organizations can be filtered and sorted by.
func organizationFields() filter.Schema {
	return filter.Schema{
		{Name: "id", Kind: filter.Text, Nullable: true, Sortable: true},
		{Name: "name", Kind: filter.Text, Nullable: true, Sortable: true},
		{Name: "createdTime", Kind: filter.Instant, Nullable: true, Sortable: true},
		{Name: "updatedTime", Kind: filter.Instant, Nullable: true, Sortable: true},
	}
}

// enter checks the organization before a path that is about organizations.
func (h *handler) enter(ctx context.Context, c *api.Call) error {
	id := c.Path("within")
	if id == "" {
		return nil
	}
	o, err := h.plane.FindOrganization(ctx, c.By, id)
	if err == nil && o.ID != id {
		err = keyward.Errorf(keyward.NotFound, "no such organization")
	}
	return err
}

// getOrganization is GetOrganization.
func (h *handler) getOrganization(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := h.enter(ctx, c); err != nil {
		return api.Answer{}, err
	}
	o, err := h.plane.Organization(ctx, c.By, c.Path("organizationId"))
	if err != nil {
		return api.Answer{}, err
	}
	body, err := h.fromOrganization(ctx, o)
	return api.Answer{Body: body}, err
}

// createOrganization is PostOrganization, which no key may do.
func (h *handler) createOrganization(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := firstOf(h.enter(ctx, c), c.By.MayEverywhere(keyward.OrganizationsWrite)); err != nil {
		return api.Answer{}, err
	}
	var in organizationInput
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, ofBody(err, "name")
	}
	o := keyward.Organization{Enabled: true}
	if err := in.apply(&o); err != nil {
		return api.Answer{}, ofBody(err, "name")
	}
	out, err := h.plane.CreateOrganization(ctx, c.By, o, control.Once{})
	if err != nil {
		return api.Answer{}, ofBody(err, "name")
	}
	answer, err := h.changed(ctx, out)
	if err != nil {
		return api.Answer{}, err
	}
	answer.Status = http.StatusCreated
	answer.Header.Set("Location", h.organizationLink(ctx, out.Organization))
	return answer, nil
}

// updateOrganization is PatchOrganization: a merge patch (RFC 7396), whatever its
// media type.
func (h *handler) updateOrganization(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := h.enter(ctx, c); err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.UpdateOrganization(ctx, c.By, c.Path("organizationId"),
		func(o *keyward.Organization) error { return patchOrganization(o, c.Body()) })
	if err != nil {
		return api.Answer{}, ofBody(err, "name")
	}
	return h.changed(ctx, out)
}

func patchOrganization(o *keyward.Organization, patch []byte) error {
	kept, err := profileOf(o)
	if err != nil {
		return err
	}
	target, err := json.Marshal(organizationInput{o.Name, kept})
	if err != nil {
		return err
	}
	merged, err := api.MergePatch(target, patch)
	if err != nil {
		return err
	}
	var in organizationInput
	if err := api.DecodeJSONLoose(merged, &in); err != nil {
		return err
	}
	return in.apply(o)
}

// apply checks the members and writes them into an organization.
func (in *organizationInput) apply(o *keyward.Organization) error {
	var faults keyward.Faults
	switch renamed := in.Name != o.Name; {
	case in.Name == "":
		faults.Add("/name", "is required")
	case renamed && utf8.RuneCountInString(in.Name) > maxName:
		faults.Add("/name", "is longer than %d characters", maxName)
	}
	if in.Country == "" && o.ID == "" {
		faults.Add("/country", "is required")
	}
	if in.Settings.Notifications.Addresses == nil {
		in.Settings.Notifications.Addresses = []string{}
	}
	in.check(&faults)
	if err := faults.Err(); err != nil {
		return err
	}
	o.Name = in.Name
	return in.keepIn(o)
}

// changed answers with an organization as it has become.
func (h *handler) changed(ctx context.Context, out control.Outcome) (api.Answer, error) {
	body, err := h.fromOrganization(ctx, out.Organization)
	return api.Answer{Body: body, Header: api.Propagated(out.Propagation)}, err
}

func (h *handler) fromOrganization(ctx context.Context, o *keyward.Organization) (shownOrganization, error) {
	kept, err := profileOf(o)
	return shownOrganization{
		ID: o.ID, Name: o.Name, Country: kept.Country, ReportCurrency: kept.ReportCurrency, Settings: kept.Settings,
		CreatedTime: o.CreatedTime, UpdatedTime: o.UpdatedTime,
		Links: []link{{Rel: "self", Href: h.organizationLink(ctx, o)}},
	}, err
}

func (h *handler) organizationLink(ctx context.Context, o *keyward.Organization) string {
	return api.Base(ctx, h.base, prefix) + "/organizations/" + o.ID
}
