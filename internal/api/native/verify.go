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
	body, err := h.answer(nil, &c.By, &q, &request, new(verify.Verdict))
	return api.Answer{Body: json.RawMessage(body)}, err
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
	asked := questions{by: c.By, drafts: make([]draft, len(in.Requests)), requests: make([]keyward.Request, len(in.Requests))}
	var faults keyward.Faults
	for i := range in.Requests {
		request, err := in.Requests[i].read()
		asked.drafts[i].question, asked.requests[i] = in.Requests[i], request
		for _, f := range keyward.FieldsOf(err) {
			faults.Add(fmt.Sprintf("/requests/%d%s", i, f.Pointer), "%s", f.Detail)
		}
	}
	if err := faults.Err(); err != nil {
		return api.Answer{}, err
	}
	body, err := h.answers(ctx, nil, &asked)
	return api.Answer{Body: json.RawMessage(body)}, err
}

// answers decides many questions, and appends the verdicts.
func (h *handler) answers(ctx context.Context, b []byte, q *questions) ([]byte, error) {
	b = append(b, `{"results":[`...)
	for i := range q.requests {
		if err := ctx.Err(); err != nil {
			return nil, err // nobody is waiting any more
		}
		var err error
		if b, err = h.answer(separate(b, i), &q.by, &q.drafts[i].question, &q.requests[i], &q.verdict); err != nil {
			return nil, err
		}
	}
	return append(b, `]}`...), nil
}

// mayVerify comes before the body is read. Whether the engine may answer is asked again
// with each question.
func (h *handler) mayVerify(c *api.Call) error {
	if !h.engine.Ready() {
		return keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	return c.By.May(keyward.KeysVerify, c.By.OrganizationID)
}

// answer decides one question into v, and appends the verdict.
func (h *handler) answer(b []byte, by *keyward.Actor, q *question, request *keyward.Request, v *verify.Verdict) ([]byte, error) {
	if err := h.tokens.Verify(by, *q.Key, request, v); err != nil {
		return nil, err
	}
	return appendVerdict(b, v), nil
}
