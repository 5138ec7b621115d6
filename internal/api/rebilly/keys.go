package rebilly

import (
	"context"
	"net/http"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

// createKey is PostApiKey.
func (h *handler) createKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	key := keyward.Key{}
	var err error
	if key.OrganizationID, err = organizationOf(c); err != nil {
		return api.Answer{}, err
	}
	change, err := readKey(c)
	var terms *control.Terms
	if err == nil {
		terms, err = change.create(&key)
	}
	if err != nil {
		return api.Answer{}, firstOf(c.By.May(keyward.KeysCreate, key.OrganizationID), err)
	}
	out, err := h.plane.CreateVendorKey(ctx, c.By, key, *terms)
	if err != nil {
		return api.Answer{}, ofBody(err, "description")
	}
	return h.created(ctx, out), nil
}

// firstOf returns the first error: what the caller may not do comes before what is
// wrong with how it is asked.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// created answers with a new key. Its secret is in the answer whether or not the
// organization keeps secrets: this is the one time.
func (h *handler) created(ctx context.Context, out control.Outcome) api.Answer {
	header := api.Propagated(out.Propagation)
	header.Set("Location", h.self(ctx, out.Key))
	return api.Answer{Status: http.StatusCreated, Header: header, Body: h.fromKey(ctx, out.Key, out.Secret)}
}

// getKey is GetApiKey.
func (h *handler) getKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	organizationID, err := organizationOf(c)
	if err != nil {
		return api.Answer{}, err
	}
	key, err := h.plane.LiveKey(ctx, c.By, keyward.KeysRead, organizationID, c.Path("keyId"))
	if err != nil {
		return api.Answer{}, err
	}
	return h.shown(ctx, c, key)
}

// shown answers with a key, and with its secret where the caller may have it.
func (h *handler) shown(ctx context.Context, c *api.Call, key *keyward.Key) (api.Answer, error) {
	secrets, err := h.plane.Reveal(ctx, c.By, key.OrganizationID, []*keyward.Key{key})
	if err != nil {
		return api.Answer{}, err
	}
	return api.Answer{Body: h.fromKey(ctx, key, secrets[key.ID])}, nil
}

// putKey is PutApiKey: it creates a key with the id of the client's choice, or updates
// the one that has it.
func (h *handler) putKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	organizationID, err := organizationOf(c)
	if err != nil {
		return api.Answer{}, err
	}
	change, wrong := readKey(c)
	out, created, err := h.plane.PutVendorKey(ctx, c.By, organizationID, c.Path("keyId"),
		func(key *keyward.Key) (*control.Terms, error) {
			switch {
			case wrong != nil:
				return nil, wrong // now that it is known that the caller may change this key
			case key.Revision != 0:
				return change.update(key, h.now())
			}
			return change.create(key)
		})
	if err != nil {
		return api.Answer{}, ofBody(err, "description")
	}
	if created {
		return h.created(ctx, out), nil
	}
	answer, err := h.shown(ctx, c, out.Key)
	answer.Header = api.Propagated(out.Propagation)
	return answer, err
}

// deleteKey is DeleteApiKey. What is revoked is gone already.
func (h *handler) deleteKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	organizationID, err := organizationOf(c)
	if err != nil {
		return api.Answer{}, err
	}
	key, err := h.plane.LiveKey(ctx, c.By, keyward.KeysDelete, organizationID, c.Path("keyId"))
	if err != nil {
		return api.Answer{}, err
	}
	if c.By.Type == keyward.KeyActor && c.By.ID == key.ID {
		return api.Answer{}, keyward.Errorf(keyward.Conflict, "A key cannot delete itself")
	}
	out, err := h.plane.DeleteKey(ctx, c.By, organizationID, key.ID, 0)
	return api.Answer{Header: api.Propagated(out.Propagation)}, err
}

// organizationOf returns the organization that a call is about: the one in the path;
// else the one that the header of older clients names; else the caller's own.
func organizationOf(c *api.Call) (string, error) {
	if id := c.Path("organizationId"); id != "" {
		return id, nil
	}
	const header = "Organization-Id"
	named := c.Request.Header.Values(header)
	if len(named) > 1 {
		return "", keyward.Faults{{Pointer: "/" + header, Detail: "is given more than once"}}.Err()
	}
	if len(named) == 0 || named[0] == "" {
		return c.By.OrganizationID, nil
	}
	return named[0], nil
}
