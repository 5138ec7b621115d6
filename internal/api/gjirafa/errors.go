package gjirafa

import (
	"errors"
	"net/http"
	"strings"

	"keyward"
	"keyward/internal/api"
)

// writeError writes err in the envelope.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	status := api.StatusOf(err)
	if status == http.StatusUnauthorized {
		w.Header().Set("Www-Authenticate", `Bearer realm="gjirafa"`)
	}
	api.WriteJSON(w, r, status, api.MediaJSON, envelope{
		Errors: word(err), Messages: []string{}, StatusCode: status,
	})
}

// word says what went wrong: in the vendor's words where it has any, and one text for
// each wrong member of the input.
func word(err error) []string {
	switch keyward.CodeOf(err) {
	case keyward.NotFound:
		return []string{"Result Not Found"}
	case keyward.Internal:
		return []string{"Internal Server Error"}
	case keyward.Unavailable:
		return []string{"Backend Fetch Failed"}
	}
	if errors.Is(err, api.ErrNoCredential) {
		return []string{"Unauthorized: a key or an access token is needed"}
	}
	fields := keyward.FieldsOf(err)
	if len(fields) == 0 {
		return []string{keyward.MessageOf(err)}
	}
	texts := make([]string, len(fields))
	for i, field := range fields {
		texts[i] = strings.TrimPrefix(strings.TrimPrefix(field.Pointer, "/")+" "+field.Detail, " ")
	}
	return texts
}
