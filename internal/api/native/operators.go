package native

import (
	"context"
	"encoding/json"
	"net/http"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

func (h *handler) createOperator(ctx context.Context, c *api.Call) (api.Answer, error) {
	var in struct {
		Name           string       `json:"name"`
		Role           keyward.Role `json:"role"`
		OrganizationID *string      `json:"organizationId"`
		Email          *string      `json:"email"`
		Password       password     `json:"password"`
		Enabled        *bool        `json:"enabled"`
	}
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	once, err := once(c)
	if err != nil {
		return api.Answer{}, err
	}
	return created(h.plane.CreateOperator(ctx, c.By, keyward.Operator{
		Name: in.Name, Role: in.Role, OrganizationID: in.OrganizationID, Email: in.Email,
		Enabled: in.Enabled == nil || *in.Enabled,
	}, in.Password.NewPassword, once))
}

func (h *handler) listOperators(ctx context.Context, c *api.Call) (api.Answer, error) {
	q, err := query(c, control.OperatorFields())
	if err != nil {
		return api.Answer{}, err
	}
	operators, found, err := h.plane.Operators(ctx, c.By, q)
	return page(c, operators, found, err)
}

func (h *handler) getOperator(ctx context.Context, c *api.Call) (api.Answer, error) {
	operator, err := h.plane.Operator(ctx, c.By, c.Path("operatorId"))
	return api.Answer{Body: operator}, err
}

// password is a new password on the wire: a text, null for none, or left out. It is
// only ever read.
type password struct{ control.NewPassword }

func (p *password) UnmarshalJSON(data []byte) error {
	p.Set = true
	if string(data) == "null" {
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return keyward.Errorf(keyward.Invalid, "must be a string")
	}
	secret := keyward.ForeignSecret(text)
	p.Secret = &secret
	return nil
}

// operatorPatch is what updating an operator can change. The password is no part of
// the document that a patch is applied to: nobody knows it.
type operatorPatch struct {
	Name     string          `json:"name"`
	Role     keyward.Role    `json:"role"`
	Email    *string         `json:"email"`
	Enabled  *bool           `json:"enabled"`
	Password json.RawMessage `json:"password,omitempty"`
}

func (h *handler) updateOperator(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := waited(c); err != nil {
		return api.Answer{}, err
	}
	var in struct {
		Password password `json:"password"`
	}
	if err := api.DecodeJSONLoose(c.Body(), &in); err != nil {
		return api.Answer{}, err
	}
	change := func(o *keyward.Operator) error {
		merged, err := patched(operatorPatch{Name: o.Name, Role: o.Role, Email: o.Email, Enabled: &o.Enabled}, c.Body())
		if err == nil && merged.Enabled == nil {
			err = keyward.Faults{{Pointer: "/enabled", Detail: "may not be null"}}.Err()
		}
		if err != nil {
			return err
		}
		o.Name, o.Role, o.Email, o.Enabled = merged.Name, merged.Role, merged.Email, *merged.Enabled
		return nil
	}
	out, err := h.plane.UpdateOperator(ctx, c.By, c.Path("operatorId"), in.Password.NewPassword, change)
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, http.StatusOK, out.Operator), nil
}

func (h *handler) rotateOperator(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := decodeOptional(c, &struct{}{}); err != nil {
		return api.Answer{}, err
	}
	once, err := once(c)
	if err != nil {
		return api.Answer{}, err
	}
	return created(h.plane.RotateOperator(ctx, c.By, c.Path("operatorId"), once))
}

func (h *handler) deleteOperator(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := waited(c); err != nil {
		return api.Answer{}, err
	}
	return deleted(h.plane.DeleteOperator(ctx, c.By, c.Path("operatorId")))
}
