package rebilly

import (
	"fmt"
	"net/http"
	"strings"

	"keyward"
	"keyward/internal/api"
)

// problem is an error on the wire: RFC 7807 in plain JSON. A type that is missing is
// about:blank.
type problem struct {
	Status        int            `json:"status"`
	Title         string         `json:"title"`
	Detail        string         `json:"detail"`
	InvalidFields []invalidField `json:"invalidFields,omitempty"`
}

// invalidField is one parameter or member that breaks a rule, such as acl.0.scope.
type invalidField struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// writeError writes err as the vendor would. What is refused or missing is so in one
// wording, whatever the cause.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	status := api.StatusOf(err)
	body := problem{
		Status: status, Title: http.StatusText(status), Detail: keyward.MessageOf(err), InvalidFields: invalid(err),
	}
	switch {
	case status == http.StatusUnauthorized:
		w.Header().Set("Www-Authenticate", `Bearer realm="keyward"`)
		body.Detail = "Invalid credentials used"
	case status == http.StatusNotFound:
		body.Detail = "Resource not found"
	case len(body.InvalidFields) > 0:
		body.Detail = summary(body.InvalidFields)
	}
	api.WriteJSON(w, r, status, api.MediaJSON, body)
}

// invalid returns the fields that err names.
func invalid(err error) []invalidField {
	var fields []invalidField
	for _, f := range keyward.FieldsOf(err) {
		fields = append(fields, invalidField{Field: dotted(f.Pointer), Message: f.Detail})
	}
	return fields
}

// dotted writes a pointer (RFC 6901) in the vendor's way: acl.0.permissions.
func dotted(pointer string) string {
	path := strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", ".")
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(path)
}

// summary says in one line what is wrong: the vendor's clients show nothing else.
func summary(fields []invalidField) string {
	text := strings.TrimPrefix(fields[0].Field+" "+fields[0].Message, " ")
	if len(fields) > 1 {
		return fmt.Sprintf("%s (and %d more)", text, len(fields)-1)
	}
	return text
}
