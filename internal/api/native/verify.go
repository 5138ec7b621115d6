package native

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/verify"
)

// maxBatch is how many questions one request may hold.
const maxBatch = 1000

// question is a request to verify on the wire.
type question struct {
	Key            *string           `json:"key"`
	OrganizationID chosen            `json:"organizationId"`
	Environment    chosen            `json:"environment"`
	Permissions    []string          `json:"permissions"`
	Scope          map[string]string `json:"scope"`
	IP             *string           `json:"ip"`
	Cost           *int64            `json:"cost"`
	Explain        bool              `json:"explain"`
	DryRun         bool              `json:"dryRun"`
}

// read checks the question.
func (q *question) read() (keyward.Request, error) {
	var faults keyward.Faults
	request := keyward.Request{
		OrganizationID: string(q.OrganizationID), Environment: keyward.Environment(q.Environment),
		Permissions: q.Permissions, Scope: q.Scope, Cost: 1, DryRun: q.DryRun, Explain: q.Explain,
	}
	if q.Key == nil {
		faults.Add("/key", "is missing")
	}
	if q.Environment != "" && !request.Environment.Valid() {
		faults.Add("/environment", "must be live, test or sandbox")
	}
	keyward.ValidateWanted(&faults, q.Permissions, q.Scope)
	if q.IP != nil {
		ip, err := netip.ParseAddr(*q.IP)
		if err != nil || ip.Zone() != "" {
			faults.Add("/ip", "is not an IP address")
		}
		request.IP = ip
	}
	if q.Cost != nil {
		request.Cost = *q.Cost
	}
	if request.Cost < 0 {
		faults.Add("/cost", "is negative")
	}
	return request, faults.Err()
}

// verdict is an answer on the wire. Of a key that is not found it says nothing more.
type verdict struct {
	Valid bool           `json:"valid"`
	Code  keyward.Reason `json:"code"`
	*known
	Checks []keyward.Check `json:"checks,omitempty"`
}

// known is the part of a verdict that is there for keys that were found.
type known struct {
	KeyID          string              `json:"keyId"`
	Version        int                 `json:"version"`
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
}

func (h *handler) verify(_ context.Context, c *api.Call) (api.Answer, error) {
	if err := h.mayVerify(c); err != nil {
		return api.Answer{}, err
	}
	var q question
	if err := c.Decode(&q); err != nil {
		return api.Answer{}, err
	}
	request, err := q.read()
	if err != nil {
		return api.Answer{}, err
	}
	answer, err := h.answer(&c.By, &q, &request)
	return api.Answer{Body: answer}, err
}

func (h *handler) verifyBatch(ctx context.Context, c *api.Call) (api.Answer, error) {
	if err := h.mayVerify(c); err != nil {
		return api.Answer{}, err
	}
	var in struct {
		Requests []question `json:"requests"`
	}
	if err := c.Decode(&in); err != nil {
		return api.Answer{}, err
	}
	if n := len(in.Requests); n == 0 || n > maxBatch {
		return api.Answer{}, keyward.Faults{{Pointer: "/requests", Detail: fmt.Sprintf("must hold 1 to %d requests", maxBatch)}}.Err()
	}
	requests := make([]keyward.Request, len(in.Requests))
	var faults keyward.Faults
	for i := range in.Requests {
		request, err := in.Requests[i].read()
		requests[i] = request
		for _, f := range keyward.FieldsOf(err) {
			faults.Add(fmt.Sprintf("/requests/%d%s", i, f.Pointer), "%s", f.Detail)
		}
	}
	if err := faults.Err(); err != nil {
		return api.Answer{}, err
	}
	results := make([]verdict, len(requests))
	for i := range requests {
		if err := ctx.Err(); err != nil {
			return api.Answer{}, err // nobody is waiting any more
		}
		var err error
		if results[i], err = h.answer(&c.By, &in.Requests[i], &requests[i]); err != nil {
			return api.Answer{}, err
		}
	}
	return api.Answer{Body: struct {
		Results []verdict `json:"results"`
	}{results}}, nil
}

// mayVerify comes before the body is read. Whether the engine may answer is asked again
// with each question.
func (h *handler) mayVerify(c *api.Call) error {
	if !h.engine.Ready() {
		return keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	return c.By.May(keyward.KeysVerify, c.By.OrganizationID)
}

// answer decides one question.
func (h *handler) answer(by *keyward.Actor, q *question, request *keyward.Request) (verdict, error) {
	var v verify.Verdict
	if err := h.tokens.Verify(by, *q.Key, request, &v); err != nil {
		return verdict{}, err
	}
	return write(&v), nil
}

// write words a verdict.
func write(v *verify.Verdict) verdict {
	out := verdict{Valid: v.Reason == keyward.Valid, Code: v.Reason, Checks: v.Checks}
	if v.Reason == keyward.Unknown {
		return out
	}
	s := &v.Subject
	out.known = &known{
		KeyID: s.KeyID, Version: v.Version, OrganizationID: s.OrganizationID, ProjectIDs: s.ProjectIDs,
		Name: s.Name, Type: s.Type, Environment: s.Environment, Metadata: s.Metadata,
		ExpireTime: s.ExpireTime, Credits: v.Balance, RateLimits: v.Allowances,
	}
	if s.OwnerID != "" {
		out.OwnerID = &s.OwnerID
	}
	if out.ProjectIDs == nil {
		out.ProjectIDs = []string{}
	}
	if out.RateLimits == nil {
		out.RateLimits = []keyward.Allowance{}
	}
	return out
}
