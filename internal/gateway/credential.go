package gateway

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"keyward/internal/api"
)

// found is the key that a request presents.
type found struct {
	text   string
	header string // that it is in, "" for the query
}

// basicUser is the user name beside which the password of HTTP Basic is a key.
const basicUser = "key"

// find looks for the one key of a request: in Authorization, in X-API-Key, and where the
// rules say. It says why there is none to be used. A request with two of them has none,
// even if both are the same: which one the API behind the proxy would read, nobody knows.
func (r *Rules) find(q *Question) (found, string) {
	var all []found
	for _, name := range []string{"Authorization", "X-Api-Key", r.keyHeader} {
		lines := q.Header[name]
		if len(lines) > 1 {
			return found{}, "more than one " + name
		}
		if len(lines) == 1 {
			all = append(all, found{lines[0], name})
		}
	}
	if r.keyQuery != "" {
		values, ok := parameter(q.Query, r.keyQuery)
		if !ok {
			return found{}, "malformed key in the query"
		}
		for _, value := range values {
			all = append(all, found{text: value})
		}
	}
	switch {
	case len(all) == 0:
		return found{}, "no key"
	case len(all) > 1:
		return found{}, "more than one key"
	}
	one := all[0]
	if one.header == "Authorization" {
		var why string
		if one.text, why = authorization(one.text); why != "" {
			return found{}, why
		}
	}
	return one, ""
}

// authorization returns the key in an Authorization header, or says why there is none.
func authorization(line string) (key, why string) {
	scheme, rest, _ := strings.Cut(line, " ")
	if !strings.EqualFold(scheme, "Basic") {
		text, err := api.BearerIn([]string{line})
		if err != nil {
			return "", "no key in Authorization"
		}
		return text, ""
	}
	text, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return "", "malformed Basic"
	}
	return basic(string(text))
}

// basic returns the key in a user name and a password (RFC 7617): whichever is there
// alone, or the password of the user "key".
func basic(pair string) (key, why string) {
	user, password, _ := strings.Cut(pair, ":")
	switch {
	case password == "" && user != "":
		return user, ""
	case password != "" && (user == "" || user == basicUser):
		return password, ""
	}
	return "", "neither a key alone in Basic nor the user " + basicUser
}

// parameter returns the values of a parameter of a query, whose pairs are split at "&"
// only. It is false if one of them is malformed; other parameters are not looked at.
func parameter(query, name string) (values []string, ok bool) {
	for pair := range strings.SplitSeq(query, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(rawName); err != nil || decoded != name {
			continue
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

// reserved reports whether a header cannot be configured to hold keys, because it has
// another meaning here.
func reserved(canonical string) bool {
	for _, prefix := range []string{"Keyward-", "X-Keyward-", "X-Forwarded-", "X-Original-"} {
		if strings.HasPrefix(canonical, prefix) {
			return true
		}
	}
	return canonical == "Authorization" || canonical == http.CanonicalHeaderKey("X-API-Key")
}
