package native

import (
	"net/http"

	"keyward"
	"keyward/internal/api"
)

// problem is an error on the wire (RFC 9457).
type problem struct {
	Type      string               `json:"type"`
	Title     string               `json:"title"`
	Status    int                  `json:"status"`
	Detail    string               `json:"detail"`
	Code      keyward.Code         `json:"code"`
	RequestID string               `json:"requestId"`
	Errors    []keyward.FieldError `json:"errors,omitempty"`
}

// Error writes err as problem details. Paths that belong to no surface use it too.
func Error(w http.ResponseWriter, r *http.Request, err error) {
	status := api.StatusOf(err)
	if status == http.StatusUnauthorized {
		w.Header().Set("Www-Authenticate", `Bearer realm="keyward"`)
	}
	api.WriteJSON(w, r, status, "application/problem+json", problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: keyward.MessageOf(err),
		Code: keyward.CodeOf(err), RequestID: api.RequestIDOf(r.Context()), Errors: keyward.FieldsOf(err),
	})
}
