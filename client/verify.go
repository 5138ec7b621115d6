package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"keyward"
)

// Question asks whether a key may do something. Only Key is required; to name the
// organization and the environment keeps keys of others out.
type Question struct {
	Key            keyward.Secret
	OrganizationID string
	Environment    keyward.Environment
	Permissions    []string          // all of them are wanted
	Scope          map[string]string // where they are wanted
	IP             netip.Addr        // of the client that presented the key
	Cost           *int64            // of the use; nil is 1
	Explain        bool              // have every check listed
	DryRun         bool              // count nothing
}

// cost returns what the use counts for.
func (q *Question) cost() int64 {
	if q.Cost == nil {
		return 1
	}
	return *q.Cost
}

// wire returns the question as the API takes it, key included.
func (q Question) wire() wireQuestion {
	return wireQuestion{
		q.Key.Reveal(), q.OrganizationID, q.Environment, q.Permissions, q.Scope, q.IP, q.Cost, q.Explain, q.DryRun,
	}
}

// wireQuestion is a question as the API takes it: the secret is text in it.
type wireQuestion struct {
	Key            string              `json:"key"`
	OrganizationID string              `json:"organizationId,omitzero"`
	Environment    keyward.Environment `json:"environment,omitzero"`
	Permissions    []string            `json:"permissions,omitzero"`
	Scope          map[string]string   `json:"scope,omitzero"`
	IP             netip.Addr          `json:"ip,omitzero"`
	Cost           *int64              `json:"cost,omitzero"`
	Explain        bool                `json:"explain,omitzero"`
	DryRun         bool                `json:"dryRun,omitzero"`
}

// Verdict is the answer. The zero value is that of a key that was not found. Of such
// a key only Valid and Code say something.
type Verdict struct {
	Valid          bool                `json:"valid"`
	Code           keyward.Reason      `json:"code"`
	KeyID          string              `json:"keyId"`
	Version        int                 `json:"version"` // of the secret
	OrganizationID string              `json:"organizationId"`
	ProjectIDs     []string            `json:"projectIds"`
	OwnerID        *string             `json:"ownerId"`
	Name           string              `json:"name"`
	Type           keyward.KeyType     `json:"type"`
	Environment    keyward.Environment `json:"environment"`
	Metadata       json.RawMessage     `json:"metadata"`
	ExpireTime     keyward.Time        `json:"expireTime"`
	Credits        *keyward.Balance    `json:"credits"`
	RateLimits     []keyward.Allowance `json:"rateLimits"`
	Checks         []keyward.Check     `json:"checks,omitempty"` // if Explain was asked for
}

// MarshalJSON writes the verdict as the server does: of a key that was not found,
// nothing but that.
func (v Verdict) MarshalJSON() ([]byte, error) {
	if v.KeyID == "" {
		return json.Marshal(struct {
			Valid bool           `json:"valid"`
			Code  keyward.Reason `json:"code"`
		}{v.Valid, v.Code})
	}
	type plain Verdict
	return json.Marshal(plain(v))
}

// check refuses answers that cannot be the server's, so that no slip lets one in.
func (v *Verdict) check() error {
	if v.Valid != (v.Code == keyward.Valid) {
		return errors.New("the verdict contradicts itself")
	}
	return nil
}

// Verify asks one question. Without an answer there is an error, and the verdict is
// one of a key that was not found. A question is not asked again after the connection
// broke, as it may have been counted.
func (c *Client) Verify(ctx context.Context, q Question) (Verdict, error) {
	var v Verdict
	err := c.do(ctx, call{method: http.MethodPost, path: []string{"v1", "verify"}, body: q.wire(), into: &v})
	if err == nil {
		err = v.check()
	}
	if err != nil {
		return Verdict{}, err
	}
	return v, nil
}

// VerifyBatch asks up to 1000 questions at once and returns the verdicts in their
// order.
func (c *Client) VerifyBatch(ctx context.Context, questions []Question) ([]Verdict, error) {
	var in struct {
		Requests []wireQuestion `json:"requests"`
	}
	for _, q := range questions {
		in.Requests = append(in.Requests, q.wire())
	}
	var out struct {
		Results []Verdict `json:"results"`
	}
	err := c.do(ctx, call{method: http.MethodPost, path: []string{"v1", "verify", "batch"}, body: in, into: &out})
	if err != nil {
		return nil, err
	}
	if len(out.Results) != len(questions) {
		return nil, fmt.Errorf("the server answered %d of %d questions", len(out.Results), len(questions))
	}
	for i := range out.Results {
		if err := out.Results[i].check(); err != nil {
			return nil, fmt.Errorf("question %d: %w", i, err)
		}
	}
	return out.Results, nil
}
