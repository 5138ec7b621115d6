package aerospike

import "keyward"

// keyList is v2's answer to listing keys.
type keyList struct {
	Count   int      `json:"count"` // of the keys in this answer
	APIKeys []apiKey `json:"apiKeys"`
}

// keyPage is v1's.
type keyPage struct {
	Count   int      `json:"count"` // of the keys in this answer
	Meta    meta     `json:"meta"`
	APIKeys []apiKey `json:"apiKeys"`
}

// meta says where in a list a page is.
type meta struct {
	Total  int64 `json:"total"`
	Limit  int   `json:"limit"`
	Offset int   `json:"offset"`
}

// apiKey is all that the vendor ever shows of a key.
type apiKey struct {
	Name     string `json:"name"`
	ClientID string `json:"clientId"`
}

func fromKey(key *keyward.Key) apiKey { return apiKey{Name: key.Name, ClientID: key.ClientID} }

// newKey is what a key is created with.
type newKey struct {
	Name given `json:"name"`
}

// given is a text of which it is known whether it was there.
type given struct {
	text  string
	there bool
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (g *given) UnmarshalText(text []byte) error {
	g.text, g.there = string(text), true
	return nil
}

// createdKey is the answer to creating a key, the only one with its secret.
type createdKey struct {
	apiKey
	ClientSecret string `json:"clientSecret"`
}

// organization is what we know of the vendor's organization.
type organization struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// failure is v2's "Generic API error".
type failure struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}

// problem is v1's error (RFC 9457).
type problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Context any    `json:"context,omitempty"` // resource or validation, as the type is
	Message string `json:"message"`           // deprecated by the vendor: the same as detail
}

// resource says in a problem what was not found.
type resource struct {
	Resource string `json:"resource"`
	ID       string `json:"id,omitempty"`
}

// validation says in a problem which members are wrong, by their JSON pointers.
type validation struct {
	Missing []string `json:"missing,omitempty"`
	Invalid []breach `json:"invalid,omitempty"`
}

// tokenFailure is an error of the token endpoint (RFC 6749, 5.2, in the manner of
// Auth0, whose custom domain the vendor's token host appears to be).
type tokenFailure struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}
