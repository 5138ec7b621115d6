package rebilly

import (
	"context"
	"net/http"
	"regexp"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/oauth"
)

// session is what signing in gives a person.
type session struct {
	ID          string       `json:"id"`
	Token       string       `json:"token"`
	Permissions []string     `json:"permissions"`
	Memberships []membership `json:"memberships"`
	UserID      string       `json:"userId"`
	CreatedTime keyward.Time `json:"createdTime"`
	UpdatedTime keyward.Time `json:"updatedTime"`
	ExpiredTime keyward.Time `json:"expiredTime"`
	Links       []link       `json:"_links"`
}

// membership is a person's place in an organization. Who is of the whole deployment
// has none in particular.
type membership struct {
	Organization reference `json:"organization"`
	User         reference `json:"user"`
	Permissions  []string  `json:"permissions"`
	IsOwner      bool      `json:"isOwner"`
	IsDefault    bool      `json:"isDefault"`
}

type reference struct {
	ID string `json:"id"`
}

// credentials are what a person signs in with.
type credentials struct {
	Email           *string      `json:"email"`
	Password        *string      `json:"password"`
	OneTimePassword *string      `json:"oneTimePassword"` // nobody has a second factor here
	ExpiredTime     keyward.Time `json:"expiredTime"`
}

var oneTimePassword = regexp.MustCompile(`^[0-9]{6}$`)

// readCredentials returns what a person signs in with, and when the session is to end.
func (h *handler) readCredentials(c *api.Call) (in credentials, end keyward.Time, err error) {
	if err := c.Decode(&in); err != nil {
		return in, 0, ofBody(err, "name")
	}
	var faults keyward.Faults
	if in.Email == nil || *in.Email == "" {
		faults.Add("/email", "is required")
	}
	if in.Password == nil || *in.Password == "" {
		faults.Add("/password", "is required")
	}
	if in.OneTimePassword != nil && !oneTimePassword.MatchString(*in.OneTimePassword) {
		faults.Add("/oneTimePassword", "must be six digits")
	}
	if end, err = h.tokens.SessionEnd(in.ExpiredTime); err != nil {
		faults.Add("/expiredTime", "%s", keyward.MessageOf(err))
	}
	return in, end, ofBody(faults.Err(), "name")
}

// signIn is PostSigninRequest.
func (h *handler) signIn(ctx context.Context, c *api.Call) (api.Answer, error) {
	in, end, err := h.readCredentials(c)
	if err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.SignIn(ctx, *in.Email, keyward.ForeignSecret(*in.Password), api.ClientIPOf(ctx), api.RequestIDOf(ctx))
	if err != nil {
		return api.Answer{}, err
	}
	begun, err := h.tokens.Begin(out.Operator, oauth.AudienceRebilly, end)
	if err != nil {
		return api.Answer{}, err
	}
	body := h.fromSession(ctx, out.Operator, begun)
	header := api.Propagated(out.Propagation)
	header.Set("Location", body.Links[0].Href)
	return api.Answer{Status: http.StatusCreated, Header: header, Body: body}, nil
}

// fromSession writes a session. It has no address of its own: its link leads to where
// its owner is at home.
func (h *handler) fromSession(ctx context.Context, o *keyward.Operator, begun oauth.Session) session {
	home, members := api.Base(ctx, h.base, prefix)+"/organizations", []membership{}
	permissions := operationsOf(keyward.Actor{Management: o.Management()})
	if id := o.Organization(); id != "" {
		home += "/" + id
		members = append(members, membership{
			Organization: reference{id}, User: reference{o.ID}, Permissions: permissions,
			IsOwner: o.Role == keyward.Owner, IsDefault: true,
		})
	}
	return session{
		ID: begun.ID, Token: begun.Token, Permissions: permissions, Memberships: members, UserID: o.ID,
		CreatedTime: begun.IssuedTime, UpdatedTime: begun.IssuedTime, ExpiredTime: begun.ExpireTime,
		Links: []link{{Rel: "organization", Href: home}},
	}
}

// operationsOf returns the vendor's operations that an actor may do here: "*" for who
// may do all of them.
func operationsOf(by keyward.Actor) []string {
	operations := []string{}
	for _, operation := range []string{
		"*", "GetApiKeyCollection", "GetApiKey", "PostApiKey", "PutApiKey", "DeleteApiKey",
		"GetOrganizationCollection", "GetOrganization",
	} {
		if !mayAll(by, management(operation)) {
			continue
		}
		operations = append(operations, operation)
		if operation == "*" {
			break
		}
	}
	return operations
}

func mayAll(by keyward.Actor, permissions []keyward.Permission) bool {
	for _, p := range permissions {
		if !by.Projects(p).All {
			return false
		}
	}
	return true
}

// signOut is PostLogoutRequest: it ends the access token that it is called with, of a
// person or of a key.
func (h *handler) signOut(ctx context.Context, c *api.Call) (api.Answer, error) {
	text, err := api.Bearer(c.Request)
	if err != nil { // so it came with a key in its header, which is no session
		return api.Answer{}, keyward.Errorf(keyward.Forbidden, "Only a session can be ended, and a key is none")
	}
	id, expire, err := h.tokens.Presented(text)
	if err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.RevokeToken(ctx, c.By, id, expire)
	return api.Answer{Header: api.Propagated(out.Propagation)}, err
}
