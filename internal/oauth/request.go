package oauth

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"keyward"
	"keyward/internal/api"
)

// Request is a request for a token (RFC 6749, 4.4.2).
type Request struct {
	GrantType    string
	ClientID     string
	ClientSecret keyward.Secret
	Basic        bool // whether the client identified itself by HTTP Basic
}

// ReadRequest reads a request from a form or a JSON object, with the client in it or
// in HTTP Basic (RFC 6749, 2.3.1), but not in both. Errors are Invalid.
func ReadRequest(c *api.Call) (Request, error) {
	request, err := readBody(c)
	if err != nil {
		return Request{}, err
	}
	id, secret, found, err := basic(c.Request)
	if err != nil || !found {
		return request, err
	}
	if request.ClientID != "" && request.ClientID != id || !request.ClientSecret.Empty() {
		return Request{}, keyward.Errorf(keyward.Invalid, "the client is identified in two ways")
	}
	request.ClientID, request.ClientSecret, request.Basic = id, secret, true
	return request, nil
}

func readBody(c *api.Call) (Request, error) {
	if c.Media() == api.MediaJSON {
		var body struct {
			GrantType    string `json:"grant_type"`
			ClientID     string `json:"client_id"`
			ClientSecret string `json:"client_secret"`
		}
		if err := api.DecodeJSONLoose(c.Body(), &body); err != nil {
			return Request{}, err
		}
		return Request{
			GrantType: body.GrantType, ClientID: body.ClientID, ClientSecret: keyward.ForeignSecret(body.ClientSecret),
		}, nil
	}
	form, err := c.Form("grant_type", "client_id", "client_secret")
	if err != nil {
		return Request{}, err
	}
	return Request{
		GrantType: form.Text("grant_type"), ClientID: form.Text("client_id"),
		ClientSecret: keyward.ForeignSecret(form.Text("client_secret")),
	}, nil
}

// basic reads HTTP Basic, whose two parts are form-encoded.
func basic(r *http.Request) (id string, secret keyward.Secret, found bool, err error) {
	wrong := keyward.Errorf(keyward.Invalid, "the Authorization header is not HTTP Basic")
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return "", secret, false, nil
	}
	scheme, encoded, _ := strings.Cut(headers[0], " ")
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if len(headers) > 1 || !strings.EqualFold(scheme, "Basic") || err != nil {
		return "", secret, false, wrong
	}
	name, password, ok := strings.Cut(string(plain), ":")
	id, errID := url.QueryUnescape(name)
	text, errText := url.QueryUnescape(password)
	if !ok || errID != nil || errText != nil {
		return "", secret, false, wrong
	}
	return id, keyward.ForeignSecret(text), true, nil
}
