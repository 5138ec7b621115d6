package aerospike

// keyList is the answer to listing keys.
type keyList struct {
	Count   int      `json:"count"` // of the keys in this answer
	APIKeys []apiKey `json:"apiKeys"`
}

// apiKey is all that the vendor ever shows of a key.
type apiKey struct {
	Name     string `json:"name"`
	ClientID string `json:"clientId"`
}

// failure is the vendor's "Generic API error".
type failure struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}

// tokenFailure is an error of the token endpoint (RFC 6749, 5.2, in the manner of
// Auth0, whose custom domain the vendor's token host appears to be).
type tokenFailure struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}
