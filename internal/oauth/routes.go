package oauth

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

// keywardToken is what the native token endpoint issues.
var keywardToken = Kind{Audience: AudienceKeyward, Life: 15 * time.Minute}

// maxBody is how long the body of a request may be, in bytes.
const maxBody = 64 << 10

// Routes returns the token endpoint, introspection, revocation, which plane carries out,
// the public keys and the server's description (RFC 8414), whose links begin with base,
// the public URL without a slash at the end. They belong to a surface with
// [Tokens.Caller] and [Error].
func (t *Tokens) Routes(base string, plane *control.Plane) []api.Route {
	form := []string{api.MediaForm}
	return []api.Route{
		{
			Pattern: "POST /oauth/token", Open: true, Media: []string{api.MediaForm, api.MediaJSON},
			MaxBody: maxBody, Handle: t.token,
		},
		{
			Pattern: "POST /oauth/introspect", Permission: keyward.KeysVerify, Media: form, Quiet: true,
			MaxBody: maxBody, Handle: t.introspect,
		},
		// Open: whoever holds a token may end it, and needs nothing else.
		{Pattern: "POST /oauth/revoke", Open: true, Media: form, MaxBody: maxBody, Handle: t.revoke(plane)},
		{Pattern: "GET /.well-known/jwks.json", Open: true, Handle: t.jwks},
		{Pattern: "GET /.well-known/oauth-authorization-server", Open: true, Handle: t.describe(base)},
	}
}

func (t *Tokens) token(ctx context.Context, c *api.Call) (api.Answer, error) {
	request, err := ReadRequest(c)
	if err != nil {
		return refuse(http.StatusBadRequest, "invalid_request", keyward.MessageOf(err)), nil
	}
	switch {
	case request.GrantType == "":
		return refuse(http.StatusBadRequest, "invalid_request", "grant_type is missing"), nil
	case request.GrantType != "client_credentials":
		return refuse(http.StatusBadRequest, "unsupported_grant_type", "grant_type must be client_credentials"), nil
	case request.ClientID == "" || request.ClientSecret.Empty():
		return unknownClient("client_id or client_secret is missing"), nil
	}
	issued, err := t.Issue(keywardToken, request.ClientID, request.ClientSecret, api.ClientIPOf(ctx))
	switch keyward.CodeOf(err) {
	case keyward.Unauthenticated:
		return unknownClient("the client is not known, or its secret is not accepted"), nil
	case keyward.Forbidden:
		return unknownClient(keyward.MessageOf(err)), nil
	}
	return api.Answer{Body: issued, Header: http.Header{"Pragma": {"no-cache"}}}, err
}

// refuse is an error in the form of RFC 6749, 5.2.
func refuse(status int, code, description string) api.Answer {
	return api.Answer{Status: status, Body: problem{Error: code, Description: description}}
}

func unknownClient(description string) api.Answer {
	answer := refuse(http.StatusUnauthorized, "invalid_client", description)
	answer.Header = http.Header{"Www-Authenticate": {basicChallenge}}
	return answer
}

const basicChallenge = `Basic realm="keyward", charset="UTF-8"`

type problem struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// Error writes err in the form of RFC 6749, 5.2.
func Error(w http.ResponseWriter, r *http.Request, err error) {
	if keyward.CodeOf(err) == keyward.Unauthenticated {
		w.Header()["Www-Authenticate"] = []string{basicChallenge, `Bearer realm="keyward"`}
	}
	api.WriteJSON(w, r, api.StatusOf(err), api.MediaJSON, problem{ErrorCode(err), keyward.MessageOf(err)})
}

// ErrorCode returns the error code (RFC 6749, and RFC 6750 for a right that is missing)
// for what is wrong with a request before its endpoint has a word for it.
func ErrorCode(err error) string {
	switch keyward.CodeOf(err) {
	case keyward.Unauthenticated:
		return "invalid_client"
	case keyward.Forbidden:
		return "insufficient_scope"
	case keyward.Unavailable:
		return "temporarily_unavailable"
	case keyward.Internal:
		return "server_error"
	}
	return "invalid_request"
}

func (t *Tokens) jwks(context.Context, *api.Call) (api.Answer, error) {
	return api.Answer{
		Body:   json.RawMessage(t.JWKS()),
		Header: http.Header{"Cache-Control": {"public, max-age=300"}, "Content-Type": {"application/jwk-set+json"}},
	}, nil
}

func (t *Tokens) describe(base string) api.Handler {
	return func(context.Context, *api.Call) (api.Answer, error) {
		return api.Answer{Body: map[string]any{
			"issuer":                                t.signer.Issuer(),
			"token_endpoint":                        base + "/oauth/token",
			"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
			"introspection_endpoint":                base + "/oauth/introspect",
			"introspection_endpoint_auth_methods_supported": []string{"client_secret_basic", "Bearer"},
			"revocation_endpoint":                           base + "/oauth/revoke",
			"revocation_endpoint_auth_methods_supported":    []string{"none", "client_secret_basic", "client_secret_post"},
			"jwks_uri":                 base + "/.well-known/jwks.json",
			"grant_types_supported":    []string{"client_credentials"},
			"response_types_supported": []string{},
		}}, nil
	}
}
