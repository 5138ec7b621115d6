package aerospike

import (
	"context"
	"net/http"
	"strings"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/oauth"
)

// accessToken is what the token endpoint issues. Its extra claim is the one that the
// vendor's command line reads.
var accessToken = oauth.Kind{
	Audience: oauth.AudienceAerospike,
	Life:     8 * time.Hour,
	Claims: func(key *keyward.Subject) map[string]any {
		return map[string]any{"dbaas.aerospike.com/org_id": key.OrganizationID}
	},
}

// token answers the client-credentials grant. Parameters that the vendor's clients
// do not send, such as audience and scope, are ignored.
func (h *handler) token(ctx context.Context, c *api.Call) (api.Answer, error) {
	request, err := oauth.ReadRequest(c)
	if err != nil {
		return api.Answer{}, err
	}
	switch {
	case request.GrantType == "":
		return refuse(http.StatusBadRequest, "invalid_request", "Missing required parameter: grant_type"), nil
	case request.GrantType != "client_credentials":
		return refuse(http.StatusForbidden, "unsupported_grant_type",
			"Unsupported grant type: "+grantName(request.GrantType)), nil
	case request.ClientID == "":
		return refuse(http.StatusBadRequest, "invalid_request", "Missing required parameter: client_id"), nil
	case !h.engine.Ready():
		return api.Answer{}, keyward.Errorf(keyward.Unavailable, "the server is starting")
	}
	issued, err := h.tokens.Issue(accessToken, request.ClientID, request.ClientSecret, api.ClientIPOf(ctx))
	switch keyward.CodeOf(err) {
	case keyward.Unauthenticated, keyward.Forbidden: // who may not use a key here is not told that it exists
		return denied(request.Basic), nil
	}
	return api.Answer{Body: issued, Header: http.Header{"Pragma": {"no-cache"}}}, err
}

// grantName returns what a grant type is called in an error. What looks like no name,
// such as a secret in the wrong place, is not repeated.
func grantName(text string) string {
	if len(text) > 64 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_-:") != "" {
		return "unknown"
	}
	return text
}

func refuse(status int, code, description string) api.Answer {
	return api.Answer{Status: status, Body: tokenFailure{code, description}}
}

// denied refuses a client. One that came by HTTP Basic is told of it (RFC 6749, 5.2).
func denied(basic bool) api.Answer {
	answer := refuse(http.StatusUnauthorized, "access_denied", "Unauthorized")
	if basic {
		answer.Header = http.Header{"Www-Authenticate": {`Basic realm="aerospike", charset="UTF-8"`}}
	}
	return answer
}
