package gateway

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keyward"
	"keyward/internal/verify"
)

// Outcome is what a proxy does with a request.
type Outcome struct {
	// Status is 200 for a request that may pass, and otherwise what the client gets:
	// 401, 403 or 429, or what [Question.RefuseWith] says for 429.
	Status int
	// Upstream are the headers that say whose the request is. If it may pass, each of
	// them is there, an empty one too, so that it takes the place of the client's own.
	Upstream http.Header
	// Client are headers for the client.
	Client http.Header
	// Remove names the header that held the key, so that it can be taken out of the
	// request.
	Remove []string
	// Why is for logs: nobody outside may read why a request was refused.
	Why string
	// Subject is the key, for a request that may pass because of one.
	Subject *keyward.Subject
}

// The headers that say whose a request is. Values are as encode writes them.
const (
	keyIDHeader          = "X-Keyward-Key-Id"
	organizationIDHeader = "X-Keyward-Organization-Id"
	projectIDsHeader     = "X-Keyward-Project-Ids"
	ownerIDHeader        = "X-Keyward-Owner-Id"
	environmentHeader    = "X-Keyward-Environment"

	// statusHeader is what the client is to get, where the proxy was told another status.
	statusHeader = "X-Keyward-Status"
)

// realm names what a key is for.
const realm = `Bearer realm="api"`

// statuses are what clients learn of the reasons.
var statuses = map[keyward.Reason]int{
	keyward.Unknown: http.StatusUnauthorized, keyward.Revoked: http.StatusUnauthorized, keyward.Disabled: http.StatusUnauthorized,
	keyward.NotStarted: http.StatusUnauthorized, keyward.Expired: http.StatusUnauthorized,
	keyward.IPNotAllowed: http.StatusForbidden, keyward.PermissionDenied: http.StatusForbidden,
	keyward.RateLimited: http.StatusTooManyRequests, keyward.CreditsExhausted: http.StatusTooManyRequests,
	keyward.Valid: http.StatusOK,
}

// outcome is what a verdict of the instant now means to a proxy.
func outcome(v *verify.Verdict, now keyward.Time) Outcome {
	status := statuses[v.Reason]
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return refused(status, v.Reason.String())
	}
	out := Outcome{Status: status, Client: limits(v.Allowances, now)}
	if status == http.StatusOK {
		subject := v.Subject
		out.Subject, out.Upstream = &subject, identity(&subject)
		return out
	}
	out.Why = v.Reason.String()
	if v.RetryTime != 0 {
		out.Client.Set("Retry-After", strconv.FormatInt(max(1, seconds(v.RetryTime, now)), 10))
	}
	return out
}

// refused is the outcome of a request that is 401 or 403.
func refused(status int, why string) Outcome {
	out := Outcome{Status: status, Client: http.Header{}, Why: why}
	if status == http.StatusUnauthorized {
		out.Client.Set("Www-Authenticate", realm)
	}
	return out
}

// identity returns all headers about a key, empty ones for none.
func identity(s *keyward.Subject) http.Header {
	if s == nil {
		s = new(keyward.Subject)
	}
	projects := make([]string, len(s.ProjectIDs))
	for i, id := range s.ProjectIDs {
		projects[i] = encode(id)
	}
	return http.Header{
		keyIDHeader:          {encode(s.KeyID)},
		organizationIDHeader: {encode(s.OrganizationID)},
		projectIDsHeader:     {strings.Join(projects, ",")},
		ownerIDHeader:        {encode(s.OwnerID)},
		environmentHeader:    {encode(string(s.Environment))},
	}
}

// limits returns RateLimit-Policy and RateLimit as draft-ietf-httpapi-ratelimit-headers-10
// has them, and no headers for a key without limits. The seconds in RateLimit are those
// until all of the limit is there again.
func limits(allowances []keyward.Allowance, now keyward.Time) http.Header {
	header := http.Header{}
	if len(allowances) == 0 {
		return header
	}
	policies, left := make([]string, len(allowances)), make([]string, len(allowances))
	for i, a := range allowances {
		name := quoted(a.Name)
		window := (time.Duration(a.Window) + time.Second - 1) / time.Second
		policies[i] = fmt.Sprintf("%s;q=%d;w=%d", name, integer(a.Limit), integer(int64(window)))
		left[i] = fmt.Sprintf("%s;r=%d;t=%d", name, integer(a.Remaining), integer(seconds(a.ResetTime, now)))
	}
	header.Set("Ratelimit-Policy", strings.Join(policies, ", "))
	header.Set("Ratelimit", strings.Join(left, ", "))
	return header
}

// seconds returns how long it is from now to then, rounded up and never negative.
func seconds(then, now keyward.Time) int64 {
	const second = int64(time.Second / time.Millisecond)
	return max(0, (int64(then)-int64(now)+second-1)/second)
}

// integer cuts n to the integers of structured fields (RFC 9651, 3.3.1).
func integer(n int64) int64 { return min(max(n, 0), 999_999_999_999_999) }

// quoted writes text as a string of structured fields (RFC 9651, 3.3.3).
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(encode(text)) + `"`
}

// encode writes text in visible ASCII: every other byte, and the percent sign and the
// comma, as percent-escapes.
func encode(text string) string {
	plain := func(c byte) bool { return c > ' ' && c <= '~' && c != '%' && c != ',' }
	for i := range len(text) {
		if !plain(text[i]) {
			return escape(text, plain)
		}
	}
	return text
}

func escape(text string, plain func(byte) bool) string {
	var out strings.Builder
	for i := range len(text) {
		if c := text[i]; plain(c) {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
