package client

import (
	"context"
	"iter"
	"net/http"

	"keyward"
)

// NewOrganization is what an organization is created from. Only Name is required.
type NewOrganization struct {
	Name        string `json:"name"`
	Prefix      string `json:"prefix,omitzero"`      // of its keys' secrets; "kw" if empty
	Recoverable bool   `json:"recoverable,omitzero"` // keep secrets, encrypted; never changes
	PublicID    string `json:"publicId,omitzero"`    // eight lower-case letters; made if empty
}

// CreateOrganization creates an organization.
func (c *Client) CreateOrganization(ctx context.Context, o NewOrganization) (keyward.Organization, error) {
	var created keyward.Organization
	err := c.do(ctx, call{method: http.MethodPost, path: organizationsPath(), body: o, once: true, into: &created})
	return created, err
}

// Organization returns one organization.
func (c *Client) Organization(ctx context.Context, id string) (keyward.Organization, error) {
	var o keyward.Organization
	err := c.do(ctx, call{method: http.MethodGet, path: organizationsPath(id), into: &o})
	return o, err
}

// Organizations returns the organizations that the list asks for, of which it fetches
// a page at a time. An error is the last thing it yields.
func (c *Client) Organizations(ctx context.Context, list List) iter.Seq2[keyward.Organization, error] {
	return pages[keyward.Organization](ctx, c, organizationsPath(), list.values())
}

// OrganizationsPage returns one page of the list.
func (c *Client) OrganizationsPage(ctx context.Context, list List) (Page[keyward.Organization], error) {
	return page[keyward.Organization](ctx, c, organizationsPath(), list.values())
}

func organizationsPath(below ...string) []string {
	return append([]string{"v1", "organizations"}, below...)
}
