package native

import (
	"context"
	"net/http"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

func (h *handler) createKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	in := keyInput{Type: keyward.SecretKey, Environment: keyward.Live}
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	once, err := once(c)
	if err != nil {
		return api.Answer{}, err
	}
	key := keyward.Key{
		OrganizationID: c.Path("organizationId"), Name: in.Name, Type: in.Type, Environment: in.Environment,
		Enabled: in.Enabled == nil || *in.Enabled,
	}
	if err := in.apply(&key); err != nil {
		return api.Answer{}, err
	}
	return created(h.plane.CreateKey(ctx, c.By, key, once))
}

func (h *handler) listKeys(ctx context.Context, c *api.Call) (api.Answer, error) {
	q, err := query(c, control.KeyFields())
	if err != nil {
		return api.Answer{}, err
	}
	keys, found, err := h.plane.Keys(ctx, c.By, c.Path("organizationId"), q)
	return page(c, keys, found, err)
}

func (h *handler) getKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	key, err := h.plane.Key(ctx, c.By, c.Path("organizationId"), c.Path("keyId"))
	if err != nil {
		return api.Answer{}, err
	}
	return api.Answer{Body: key, Header: http.Header{"Etag": {etag(key)}}}, nil
}

func (h *handler) updateKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := waited(c); err != nil {
		return api.Answer{}, err
	}
	revision, err := revision(c.Request)
	if err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.UpdateKey(ctx, c.By, c.Path("organizationId"), c.Path("keyId"), revision,
		func(key *keyward.Key) error { return patchKey(key, c.Body()) })
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, http.StatusOK, out.Key), nil
}

// patchKey applies a merge patch to what of a key can change.
func patchKey(key *keyward.Key, patch []byte) error {
	target, err := patchable(key)
	if err != nil {
		return err
	}
	var merged keyPatch
	if err := api.DecodePatch(target, patch, &merged); err != nil {
		return err
	}
	if merged.Enabled == nil {
		return keyward.Faults{{Pointer: "/enabled", Detail: "may not be null"}}.Err()
	}
	key.Name, key.Enabled = merged.Name, *merged.Enabled
	return merged.apply(key)
}

func (h *handler) deleteKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := waited(c); err != nil {
		return api.Answer{}, err
	}
	revision, err := revision(c.Request)
	if err != nil {
		return api.Answer{}, err
	}
	return deleted(h.plane.DeleteKey(ctx, c.By, c.Path("organizationId"), c.Path("keyId"), revision))
}

func (h *handler) rotateKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	var in struct {
		Overlap keyward.Duration `json:"overlap"`
	}
	if err := decodeOptional(c, &in); err != nil {
		return api.Answer{}, err
	}
	once, err := once(c)
	if err != nil {
		return api.Answer{}, err
	}
	revision, err := revision(c.Request)
	if err != nil {
		return api.Answer{}, err
	}
	return created(h.plane.RotateKey(ctx, c.By, c.Path("organizationId"), c.Path("keyId"), revision, in.Overlap, once))
}

// decodeOptional reads a body whose members all have defaults, so that it may be
// missing altogether.
func decodeOptional(c *api.Call, into any) error {
	if len(c.Body()) == 0 {
		return nil
	}
	return c.Decode(into)
}

func (h *handler) revokeKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	var in struct {
		Reason string `json:"reason"`
	}
	if err := decodeOptional(c, &in); err != nil {
		return api.Answer{}, err
	}
	once, err := once(c)
	if err != nil {
		return api.Answer{}, err
	}
	revision, err := revision(c.Request)
	if err != nil {
		return api.Answer{}, err
	}
	out, err := h.plane.RevokeKey(ctx, c.By, c.Path("organizationId"), c.Path("keyId"), revision, in.Reason, once)
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, http.StatusOK, struct {
		Key         *keyward.Key        `json:"key"`
		Propagation keyward.Propagation `json:"propagation"`
	}{out.Key, out.Propagation}), nil
}

func (h *handler) revealKey(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := decodeOptional(c, &struct{}{}); err != nil {
		return api.Answer{}, err
	}
	secret, err := h.plane.RevealKey(ctx, c.By, c.Path("organizationId"), c.Path("keyId"))
	if err != nil {
		return api.Answer{}, err
	}
	return api.Answer{Body: struct {
		Secret string `json:"secret"`
	}{secret.Reveal()}}, nil
}
