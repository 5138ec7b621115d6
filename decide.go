package keyward

import (
	"encoding/json"
	"net/netip"
)

// Reason is the outcome of a verification.
type Reason uint8

// The reasons in the order in which they are decided; the first that applies is
// the answer.
const (
	Unknown          Reason = iota // garbage, unknown, deleted, or out of the asker's reach: never told apart
	Revoked                        // for good
	Disabled                       // the key or its organization, for now
	NotStarted                     // its start is still to come
	Expired                        // the key, or the version that was presented
	IPNotAllowed                   // asked from an address that the key does not allow, or from none
	PermissionDenied               // a wanted permission has no grant that matches
	RateLimited                    // the cost does not fit a rate limit
	CreditsExhausted               // the cost does not fit the balance
	Valid
)

var reasonNames = [...]string{
	"not_found", "revoked", "disabled", "not_started", "expired", "ip_not_allowed",
	"permission_denied", "rate_limited", "credits_exhausted", "valid",
}

// Reasons returns every reason, in the order of decision.
func Reasons() []Reason {
	reasons := make([]Reason, len(reasonNames))
	for i := range reasons {
		reasons[i] = Reason(i)
	}
	return reasons
}

func (r Reason) String() string { return reasonNames[r] }

// MarshalText writes the name of the reason.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the name of a reason.
func (r *Reason) UnmarshalText(text []byte) error {
	for i, name := range reasonNames {
		if name == string(text) {
			*r = Reason(i)
			return nil
		}
	}
	return Errorf(Invalid, "%q is not a reason", text)
}

// Request is the question to verify: may this key do this, from here, now?
type Request struct {
	OrganizationID string            // only a key of this organization; "" for any
	Environment    Environment       // only a key of this environment; "" for any
	Permissions    []string          // all of them are wanted
	Scope          map[string]string // where they are wanted
	IP             netip.Addr        // of the end client, as far as the caller knows
	Cost           int64             // what the use counts for
	DryRun         bool              // answer, but count nothing
	Explain        bool              // have every check listed
}

// Subject is what verification knows of a key. It is immutable once published.
type Subject struct {
	OrganizationID string
	KeyID          string
	ClientID       string
	Name           string
	OwnerID        string // "" if nobody owns it
	ProjectIDs     []string
	Type           KeyType
	Environment    Environment
	ACL            []Grant
	Management     []Grant
	AllowedIPs     []netip.Prefix // nil: from anywhere
	Metadata       json.RawMessage
	Enabled        bool
	Deleted        bool
	StartTime      Time
	ExpireTime     Time
	RevokedTime    Time
}

// Standing is the part of a decision that is the organization's.
type Standing struct {
	Enabled bool
	Deleted bool // which revoked its keys
}

// Decide returns the answer for one version of a key, or for none if subject is
// nil. It is a pure function: the clock, the counters and the organization's
// standing are arguments.
func Decide(by *Actor, subject *Subject, org Standing, versionEnd Time, q *Request, budget Budget, now Time) Reason {
	for reason := Unknown; reason < Valid; reason++ {
		if applies(reason, by, subject, org, versionEnd, q, budget, now) {
			return reason
		}
	}
	return Valid
}

// Check is one question of a decision and whether it was passed.
type Check struct {
	Check  Reason `json:"check"` // the reason that failing it gives
	Passed bool   `json:"passed"`
}

// Explain returns every check in the order of decision. For a key that the asker
// cannot see it returns nothing, as the answer must not tell why.
func Explain(by *Actor, subject *Subject, org Standing, versionEnd Time, q *Request, budget Budget, now Time) []Check {
	if applies(Unknown, by, subject, org, versionEnd, q, budget, now) {
		return nil
	}
	var checks []Check
	for reason := Unknown; reason < Valid; reason++ {
		passed := !applies(reason, by, subject, org, versionEnd, q, budget, now)
		checks = append(checks, Check{Check: reason, Passed: passed})
	}
	return checks
}

// applies is the rule book: one case for each reason.
func applies(reason Reason, by *Actor, s *Subject, org Standing, versionEnd Time, q *Request, budget Budget, now Time) bool {
	switch reason {
	case Unknown:
		return s == nil || s.Deleted || !by.mayVerify(s) ||
			q.OrganizationID != "" && q.OrganizationID != s.OrganizationID ||
			q.Environment != "" && q.Environment != s.Environment
	case Revoked:
		return s.RevokedTime != 0 || org.Deleted
	case Disabled:
		return !s.Enabled || !org.Enabled
	case NotStarted:
		return s.StartTime > now
	case Expired:
		return ended(s.ExpireTime, now) || ended(versionEnd, now)
	case IPNotAllowed:
		return !s.Admits(q.IP)
	case PermissionDenied:
		return !Allows(s.ACL, q.Permissions, q.Scope)
	case RateLimited:
		return !budget.WithinLimits
	case CreditsExhausted:
		return !budget.WithinCredits
	}
	return false
}

// ended reports whether an end, if there is one, has come: what ends now has ended.
func ended(end, now Time) bool { return end != 0 && end <= now }

// mayVerify reports whether the actor may ask about the key at all.
func (a *Actor) mayVerify(s *Subject) bool {
	return a.Reaches(s.OrganizationID) && a.Projects(KeysVerify).Any(s.ProjectIDs)
}

// Admits reports whether the key may be used from addr. A key that is bound to
// addresses admits no unknown one.
func (s *Subject) Admits(addr netip.Addr) bool {
	return s.AllowedIPs == nil || addr.IsValid() && addressIn(s.AllowedIPs, addr)
}
