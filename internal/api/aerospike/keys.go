package aerospike

import (
	"context"
	"math"
	"net/http"
	"regexp"
	"unicode/utf8"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

// clientID is the path parameter that names a key.
const clientID = "clientId"

// maxName is how long the name of a key may be, in characters.
const maxName = 100

// The bounds of v1's pages.
const (
	defaultLimit = 10
	maxLimit     = 100
)

// listKeys answers with all keys: v2 has no pages.
func (h *handler) listKeys(ctx context.Context, c *api.Call) (api.Answer, error) {
	body := keyList{APIKeys: []apiKey{}}
	for key, err := range h.plane.AllKeys(ctx, c.By, c.By.OrganizationID) {
		if err != nil {
			return api.Answer{}, inScope(c, err, keyward.KeysRead)
		}
		body.APIKeys = append(body.APIKeys, fromKey(key))
	}
	body.Count = len(body.APIKeys)
	return api.Answer{Body: body}, nil
}

// listPage answers with some keys, and says which, as v1 does.
func (h *handler) listPage(ctx context.Context, c *api.Call) (api.Answer, error) {
	limit, err := number(c, "limit", defaultLimit, 1, maxLimit)
	if err != nil {
		return api.Answer{}, err
	}
	offset, err := number(c, "offset", 0, 0, math.MaxInt)
	if err != nil {
		return api.Answer{}, err
	}
	keys, found, err := h.plane.Keys(ctx, c.By, c.By.OrganizationID, control.List{
		Limit: limit, Offset: min(offset, keyward.MaxNumber), Count: true, HideRevoked: true,
	})
	if err != nil {
		return api.Answer{}, inScope(c, err, keyward.KeysRead)
	}
	body := keyPage{Count: len(keys), Meta: meta{found.Total, limit, offset}, APIKeys: []apiKey{}}
	for _, key := range keys {
		body.APIKeys = append(body.APIKeys, fromKey(key))
	}
	return api.Answer{Body: body}, nil
}

var whole = regexp.MustCompile(`^-?[0-9]+$`)

// number reads a parameter that is a whole number.
func number(c *api.Call, name string, without, least, most int) (int, error) {
	n, err := c.Query.Int(name, without, least, most)
	if err == nil {
		return n, nil
	}
	kind := failed
	if whole.MatchString(c.Query.Text(name)) {
		kind = outOfRange
	}
	return 0, breaks("/"+name, kind, keyward.FieldsOf(err)[0].Detail)
}

// createKey makes a key that may do what keys of this vendor can.
func (h *handler) createKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := c.By.May(keyward.KeysCreate, c.By.OrganizationID); err != nil {
		return api.Answer{}, inScope(c, err, keyward.KeysCreate) // before what is wrong with the key
	}
	var in newKey
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	if err := checkName(in.Name); err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.CreateVendorKey(ctx, c.By, keyward.Key{
		OrganizationID: c.By.OrganizationID, Name: in.Name.text, Type: keyward.SecretKey,
	}, terms())
	if err != nil {
		return api.Answer{}, inScope(c, err, keyward.KeysCreate)
	}
	return api.Answer{
		Status: http.StatusCreated, Header: api.Propagated(out.Propagation),
		Body: createdKey{fromKey(out.Key), out.Secret.Reveal()},
	}, nil
}

// checkName holds a name against the contract's own limits. What all names must be is
// for the service to say.
func checkName(name given) error {
	const bounds = "must contain 1 to 100 characters"
	switch length := utf8.RuneCountInString(name.text); {
	case !name.there:
		return breaks("/name", missing, "is required")
	case length == 0:
		return breaks("/name", tooShort, bounds)
	case length > maxName:
		return breaks("/name", tooLong, bounds)
	}
	return nil
}

// terms are the rights of every key that is made here.
func terms() control.Terms {
	return control.Terms{Grants: []keyward.Grant{{
		Permissions: []string{string(keyward.KeysRead), string(keyward.KeysCreate), string(keyward.KeysDelete)},
	}}}
}

// deleteKey deletes a key, perhaps the one behind the caller's own token.
func (h *handler) deleteKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	key, err := h.plane.KeyByClientID(ctx, c.By, keyward.KeysDelete, c.By.OrganizationID, c.Path(clientID))
	if err != nil {
		return api.Answer{}, inScope(c, err, keyward.KeysDelete)
	}
	out, err := h.plane.DeleteKey(ctx, c.By, c.By.OrganizationID, key.ID, 0)
	if err != nil {
		return api.Answer{}, inScope(c, err, keyward.KeysDelete)
	}
	return api.Answer{Header: api.Propagated(out.Propagation)}, nil
}
