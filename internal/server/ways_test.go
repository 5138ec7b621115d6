package server_test

import (
	"encoding/base64"
	"slices"
	"strings"

	"keyward/internal/api"
	"keyward/internal/api/aerospike"
	"keyward/internal/api/gjirafa"
	"keyward/internal/api/native"
	"keyward/internal/api/rebilly"
	"keyward/internal/gateway"
	"keyward/internal/oauth"
	"keyward/internal/server"
)

// surface is one API as the tests see it: its table of routes, and how callers
// present themselves there. The first way is the ordinary one.
type surface struct {
	name   string
	routes []api.Route
	ways   []way
}

// surfaces lists every table of routes that the server has.
func surfaces() []surface {
	return []surface{
		{"native", native.Routes(), nativeWays()},
		{"oauth", new(oauth.Tokens).Routes("", nil), oauthWays()},
		{"gateway", gateway.Routes(), gatewayWays()},
		{"root", server.Routes(), nativeWays()},
		{"aerospike", aerospike.Routes(), aerospikeWays()},
		{"rebilly", rebilly.Routes(), rebillyWays()},
		{"gjirafa", gjirafa.Routes(), gjirafaWays()},
	}
}

// kinds returns the routes but for those that are like another one: it with a slash at
// its end, or one more that is not implemented. What takes long is tried on these.
func (s surface) kinds() []api.Route {
	var all []api.Route
	missing := map[string]bool{}
	for _, route := range s.routes {
		method, _, _ := strings.Cut(route.Pattern, " ")
		absent := samples[route.Pattern].status == 501
		if s.name == "rebilly" && strings.HasSuffix(route.Pattern, "/{$}") || absent && missing[method] {
			continue
		}
		missing[method] = missing[method] || absent
		all = append(all, route)
	}
	return all
}

// present returns the headers with which somebody is accepted, nil if there is no
// way.
func (s surface) present(who credential) []string {
	for _, way := range s.ways {
		if header := way.present(who); way.accepted && header != nil {
			return header
		}
	}
	return nil
}

// atHost is the asking at the surface's own host name, where its paths have no prefix.
// Only dialects have one.
func (s surface) atHost(a asking) (asking, bool) {
	path, ok := strings.CutPrefix(a.path, "/"+s.name+"/")
	if !ok || !slices.Contains([]string{"aerospike", "rebilly", "gjirafa"}, s.name) {
		return a, false
	}
	a.path, a.header = "/"+path, append(slices.Clone(a.header), "Host", s.name+".localhost")
	return a, true
}

// way is one manner of presenting credentials.
type way struct {
	name     string
	present  presentation
	accepted bool // of those who are somebody
}

// presentation returns headers, nil for somebody who has no such thing to present.
type presentation func(credential) []string

// What somebody may have: "" if there is no such thing.
func asOperator(c credential) string { return c.operator }
func asToken(c credential) string    { return c.token }
func asVendor(c credential) string   { return c.vendor }
func asSecret(c credential) string   { return c.secret }
func asSession(c credential) string  { return c.session }
func asStronger(c credential) string { return c.stronger }
func asNoKey(credential) string      { return keyOfNobody }
func asNoToken(credential) string    { return "e30.e30.e30" }

// asBasic is a key and its client id, as for HTTP Basic.
func asBasic(c credential) string {
	if c.clientID == "" {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(c.clientID + ":" + c.secret))
}

// bearer, gate, plain, apiKey, xAPIKey, rebAPIKey and basic are headers that carry a
// credential.
func bearer(text string) []string    { return optional("Authorization", "Bearer ", text) }
func gate(text string) []string      { return optional("Keyward-Authorization", "Bearer ", text) }
func plain(text string) []string     { return optional("Authorization", "", text) }
func apiKey(text string) []string    { return optional("Authorization", "ApiKey ", text) }
func basic(text string) []string     { return optional("Authorization", "Basic ", text) }
func xAPIKey(text string) []string   { return optional("X-Api-Key", "", text) }
func rebAPIKey(text string) []string { return optional("Reb-Apikey", "", text) }

// optional returns no header for no credential.
func optional(name, scheme, text string) []string {
	if text == "" {
		return nil
	}
	return []string{name, scheme + text}
}

// in presents what somebody has in a header.
func in(header func(string) []string, of func(credential) string) presentation {
	return func(c credential) []string { return header(of(c)) }
}

// both presents two things at once.
func both(one, other presentation) presentation {
	return func(c credential) []string {
		first, second := one(c), other(c)
		if first == nil || second == nil {
			return nil
		}
		return slices.Concat(first, second)
	}
}

func nativeWays() []way {
	return []way{
		{"an access token", in(bearer, asToken), true},
		{"an operator's credential", in(bearer, asOperator), true},
		{"a token beside a stronger key", both(in(bearer, asToken), in(xAPIKey, asStronger)), true},
		{"a key itself", in(bearer, asSecret), false},
		{"a key alone", in(plain, asSecret), false},
		{"a key in x-api-key", in(xAPIKey, asSecret), false},
		{"a key in REB-APIKEY", in(rebAPIKey, asSecret), false},
		{"a key in Basic", in(basic, asBasic), false},
		{"a token of another audience", in(bearer, asVendor), false},
		{"a person's session", in(bearer, asSession), false},
		{"an operator's credential in x-api-key", in(xAPIKey, asOperator), false},
		{"an operator's credential alone", in(plain, asOperator), false},
	}
}

func gatewayWays() []way {
	return []way{
		{"an operator's credential", in(gate, asOperator), true},
		{"an operator's credential where keys are", in(bearer, asOperator), false},
		{"an access token", in(gate, asToken), false},
		{"a key itself", in(gate, asSecret), false},
		{"a person's session", in(gate, asSession), false},
	}
}

// oauthWays are the native ones, and what OAuth clients do.
func oauthWays() []way {
	ways := nativeWays()
	for i := range ways {
		ways[i].accepted = ways[i].accepted || ways[i].name == "a key in Basic"
	}
	return ways
}

func aerospikeWays() []way {
	return []way{
		{"an access token", in(bearer, asVendor), true},
		{"a token beside a stronger key", both(in(bearer, asVendor), in(xAPIKey, asStronger)), true},
		{"a token of another audience", in(bearer, asToken), false},
		{"a person's session", in(bearer, asSession), false},
		{"a key itself", in(bearer, asSecret), false},
		{"a key alone", in(plain, asSecret), false},
		{"a key in ApiKey", in(apiKey, asSecret), false},
		{"a key in x-api-key", in(xAPIKey, asSecret), false},
		{"a key in REB-APIKEY", in(rebAPIKey, asSecret), false},
		{"a key in Basic", in(basic, asBasic), false},
		{"an operator's credential", in(bearer, asOperator), false},
	}
}

func rebillyWays() []way {
	return []way{
		{"an access token", in(bearer, asToken), true},
		{"a key", in(rebAPIKey, asSecret), true},
		{"a person's session", in(bearer, asSession), true},
		{"a token beside its key", both(in(bearer, asToken), in(rebAPIKey, asSecret)), true},
		{"a token beside a stronger key", both(in(bearer, asToken), in(rebAPIKey, asStronger)), true},
		{"a token beside a bad key", both(in(bearer, asToken), in(rebAPIKey, asNoKey)), true},
		{"a session beside a stronger key", both(in(bearer, asSession), in(rebAPIKey, asStronger)), true},
		{"a bad token beside a key", both(in(bearer, asNoToken), in(rebAPIKey, asSecret)), false},
		{"a key twice", both(in(rebAPIKey, asSecret), in(rebAPIKey, asSecret)), false},
		{"a token twice", both(in(bearer, asToken), in(bearer, asToken)), false},
		{"a key as a token", in(bearer, asSecret), false},
		{"a key alone", in(plain, asSecret), false},
		{"a key in ApiKey", in(apiKey, asSecret), false},
		{"a key in x-api-key", in(xAPIKey, asSecret), false},
		{"a key in Basic", in(basic, asBasic), false},
		{"a token as a key", in(rebAPIKey, asToken), false},
		{"a session as a key", in(rebAPIKey, asSession), false},
		{"a token of another audience", in(bearer, asVendor), false},
		{"an operator's credential", in(bearer, asOperator), false},
		{"an operator's credential as a key", in(rebAPIKey, asOperator), false},
		{"an operator's credential beside a key", both(in(bearer, asOperator), in(rebAPIKey, asStronger)), false},
	}
}

func gjirafaWays() []way {
	return []way{
		{"an access token", in(bearer, asToken), true},
		{"a key in Bearer", in(bearer, asSecret), true},
		{"a key in ApiKey", in(apiKey, asSecret), true},
		{"a key alone", in(plain, asSecret), true},
		{"a key in x-api-key", in(xAPIKey, asSecret), true},
		{"a key in Bearer and in x-api-key", both(in(bearer, asSecret), in(xAPIKey, asSecret)), true},
		{"a key alone and in x-api-key", both(in(plain, asSecret), in(xAPIKey, asSecret)), true},
		{"a key in Bearer beside a stronger one", both(in(bearer, asSecret), in(xAPIKey, asStronger)), false},
		{"a token beside its key", both(in(bearer, asToken), in(xAPIKey, asSecret)), false},
		{"a token beside a stronger key", both(in(bearer, asToken), in(xAPIKey, asStronger)), false},
		{"a token beside a bad key", both(in(bearer, asToken), in(xAPIKey, asNoKey)), false},
		{"a bad token beside a key", both(in(bearer, asNoToken), in(xAPIKey, asSecret)), false},
		{"a bad key beside a key", both(in(plain, asNoKey), in(xAPIKey, asSecret)), false},
		{"a key twice", both(in(xAPIKey, asSecret), in(xAPIKey, asSecret)), false},
		{"a token as a key", in(xAPIKey, asToken), false},
		{"a token in ApiKey", in(apiKey, asToken), false},
		{"a key in REB-APIKEY", in(rebAPIKey, asSecret), false},
		{"a key in Basic", in(basic, asBasic), false},
		{"a token of another audience", in(bearer, asVendor), false},
		{"a person's session", in(bearer, asSession), false},
		{"an operator's credential", in(bearer, asOperator), false},
		{"an operator's credential alone", in(plain, asOperator), false},
		{"an operator's credential in x-api-key", in(xAPIKey, asOperator), false},
	}
}
