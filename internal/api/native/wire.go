package native

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
	"keyward/internal/filter"
)

// list is one page on the wire.
type list[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"nextCursor"`
	Total      *int64  `json:"total,omitempty"`
}

// page returns one page as an answer.
func page[T any](c *api.Call, items []T, found control.Found, err error) (api.Answer, error) {
	if err != nil {
		return api.Answer{}, err
	}
	body := list[T]{Items: items}
	if found.Cursor != "" {
		body.NextCursor = &found.Cursor
	}
	if c.Query.Text("count") == "true" {
		body.Total = &found.Total
	}
	return api.Answer{Body: body}, nil
}

// The bounds of a page.
const (
	defaultLimit = 100
	maxLimit     = 1000
	maxQuery     = 255 // bytes of free text
)

// query reads the parameters of a list. Its order is that of creation if none is
// asked for.
func query(c *api.Call, fields filter.Schema) (control.List, error) {
	var q control.List
	var err error
	if q.Limit, err = c.Query.Int("limit", defaultLimit, 1, maxLimit); err != nil {
		return q, err
	}
	if q.Count, err = c.Query.Bool("count"); err != nil {
		return q, err
	}
	if q.Filter, err = filter.Parse(c.Query.Text("filter"), fields); err != nil {
		return q, err
	}
	if q.Sort, err = filter.ParseSort(c.Query.Text("sort"), fields); err != nil {
		return q, err
	}
	q.Query, q.Cursor = c.Query.Text("q"), c.Query.Text("cursor")
	if len(q.Query) > maxQuery {
		return q, keyward.Faults{{Pointer: "/q", Detail: fmt.Sprintf("is longer than %d bytes", maxQuery)}}.Err()
	}
	if c.Query.Has("cursor") && q.Cursor == "" {
		return q, keyward.Faults{{Pointer: "/cursor", Detail: "is not a cursor of this list"}}.Err()
	}
	return q, nil
}

// once reads the Idempotency-Key of a change.
func once(c *api.Call) (control.Once, error) {
	values := c.Request.Header.Values("Idempotency-Key")
	if err := waited(c); err != nil || len(values) == 0 {
		return control.Once{}, err
	}
	if len(values) > 1 || values[0] == "" {
		return control.Once{}, keyward.Errorf(keyward.Invalid, "the Idempotency-Key must be there once, and not empty")
	}
	return control.Once{
		Key:         values[0],
		Operation:   c.Request.Method + " " + c.Request.URL.Path,
		Fingerprint: sha256.Sum256(c.Body()),
	}, nil
}

// changed is the answer to a change: header and propagation.
func changed(out control.Outcome, status int, body any) api.Answer {
	header := api.Propagated(out.Propagation)
	if out.Replayed {
		header.Set("Idempotent-Replayed", "true")
	}
	if out.Key != nil {
		header.Set("Etag", etag(out.Key))
	}
	return api.Answer{Status: status, Header: header, Body: body}
}

// etag is the entity tag of a key: it changes with the key, not with its use.
func etag(key *keyward.Key) string { return strconv.Quote(strconv.FormatInt(key.Revision, 10)) }

// revision reads If-Match: 0 if it is absent or "*". A tag that is not one of ours
// matches nothing, nor does a weak one (RFC 9110, 13.1.1).
func revision(r *http.Request) (int64, error) {
	values := r.Header.Values("If-Match")
	if len(values) == 0 || len(values) == 1 && values[0] == "*" {
		return 0, nil
	}
	tag, weak := strings.CutPrefix(strings.TrimSpace(values[0]), "W/")
	text, err := strconv.Unquote(tag)
	if err != nil || len(values) > 1 || !strings.HasPrefix(tag, `"`) {
		return 0, keyward.Errorf(keyward.Invalid, `If-Match must be one entity tag, such as "3", or *`)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || weak || n <= 0 || strconv.FormatInt(n, 10) != text {
		return 0, keyward.Errorf(keyward.Stale, "the key has changed since it was read")
	}
	return n, nil
}

// issued answers with something new and its secret.
type issued struct {
	Key         *keyward.Key        `json:"key,omitempty"`
	Operator    *keyward.Operator   `json:"operator,omitempty"`
	Secret      string              `json:"secret"`
	Propagation keyward.Propagation `json:"propagation"`
}

// created answers 201 with what was issued. It is the place where secrets leave.
func created(out control.Outcome, err error) (api.Answer, error) {
	if err != nil {
		return api.Answer{}, err
	}
	return changed(out, http.StatusCreated, issued{
		Key: out.Key, Operator: out.Operator, Secret: out.Secret.Reveal(), Propagation: out.Propagation,
	}), nil
}

// keyInput is what creating a key takes.
type keyInput struct {
	Name        string              `json:"name"`
	Type        keyward.KeyType     `json:"type"`
	Environment keyward.Environment `json:"environment"`
	keyMembers
}

// chosen is a text that may be left out, but not be empty: an empty one is more often
// a variable that was not set than a choice.
type chosen string

func (c *chosen) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return keyward.Errorf(keyward.Invalid, "is empty")
	}
	*c = chosen(text)
	return nil
}

// keyMembers are what creating and updating a key have in common.
type keyMembers struct {
	ProjectIDs []string            `json:"projectIds"`
	ACL        []grant             `json:"acl"`
	Management []grant             `json:"management"`
	AllowedIPs []string            `json:"allowedIps"`
	OwnerID    *string             `json:"ownerId"`
	RateLimits []keyward.RateLimit `json:"rateLimits"`
	Credits    *credits            `json:"credits"`
	Metadata   json.RawMessage     `json:"metadata"`
	Enabled    *bool               `json:"enabled"`
	StartTime  keyward.Time        `json:"startTime"`
	ExpireTime keyward.Time        `json:"expireTime"`
}

// grant is keyward.Grant, of which a member that is missing can be told.
type grant struct {
	Scope       *keyward.Scope `json:"scope"`
	Permissions *[]string      `json:"permissions"`
}

// credits is keyward.Credits, of which a balance that is missing can be told.
type credits struct {
	Remaining *int64          `json:"remaining"`
	Refill    *keyward.Refill `json:"refill"`
}

func (c *credits) read(faults *keyward.Faults) *keyward.Credits {
	if c == nil {
		return nil
	}
	if c.Remaining == nil {
		faults.Add("/credits/remaining", "is missing")
		return nil
	}
	return &keyward.Credits{Remaining: *c.Remaining, Refill: c.Refill}
}

// apply writes the members into a key.
func (m *keyMembers) apply(key *keyward.Key) error {
	var faults keyward.Faults
	key.ACL, key.Management = grants(&faults, "/acl", m.ACL), grants(&faults, "/management", m.Management)
	key.ProjectIDs, key.AllowedIPs, key.OwnerID = m.ProjectIDs, m.AllowedIPs, m.OwnerID
	key.RateLimits, key.Credits = m.RateLimits, m.Credits.read(&faults)
	key.StartTime, key.ExpireTime = m.StartTime, m.ExpireTime
	key.Metadata = m.Metadata
	if key.Metadata == nil || string(key.Metadata) == "null" {
		key.Metadata = json.RawMessage("{}")
	}
	return faults.Err()
}

func grants(faults *keyward.Faults, pointer string, in []grant) []keyward.Grant {
	out := make([]keyward.Grant, len(in))
	for i, g := range in {
		switch at := fmt.Sprintf("%s/%d/scope", pointer, i); {
		case g.Scope == nil:
			faults.Add(at, "is missing; {} is every scope")
		case slices.ContainsFunc(slices.Collect(maps.Values(*g.Scope)), func(values []string) bool { return values == nil }):
			faults.Add(at, "holds null; a dimension without values is []")
		default:
			out[i].Scope = *g.Scope
		}
		if g.Permissions == nil {
			faults.Add(fmt.Sprintf("%s/%d/permissions", pointer, i), "is missing")
		} else {
			out[i].Permissions = *g.Permissions
		}
	}
	return out
}

// keyPatch is what updating a key can change, as the document that a merge patch
// is applied to.
type keyPatch struct {
	Name string `json:"name"`
	keyMembers
}

func patchable(key *keyward.Key) ([]byte, error) {
	var document bytes.Buffer
	encoder := json.NewEncoder(&document)
	encoder.SetEscapeHTML(false) // metadata stays as it is written, and as short
	err := encoder.Encode(map[string]any{
		"name": key.Name, "projectIds": key.ProjectIDs, "acl": key.ACL, "management": key.Management,
		"allowedIps": key.AllowedIPs, "ownerId": key.OwnerID, "rateLimits": key.RateLimits, "credits": key.Credits,
		"metadata": key.Metadata, "enabled": key.Enabled, "startTime": key.StartTime, "expireTime": key.ExpireTime,
	})
	return document.Bytes(), err
}
