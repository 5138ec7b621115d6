package aerospike

import (
	"errors"
	"strings"

	"keyward"
)

// breach is one rule of the contract that a member breaks, as problems name it. It is
// the cause of an error with the code Invalid.
type breach struct {
	Field       string `json:"field"` // a JSON pointer
	Type        string `json:"type"`
	Description string `json:"description,omitempty"`
}

// The kinds of breach that this surface knows, of the vendor's eight.
const (
	failed     = "urn:aerospike:errors:validation:failed"
	outOfRange = "urn:aerospike:errors:validation:out-of-range"
	tooLong    = "urn:aerospike:errors:validation:too-long"
	tooShort   = "urn:aerospike:errors:validation:too-short"

	missing = "" // which problems list apart
)

// Error implements error.
func (b breach) Error() string { return b.Field + ": " + b.Type }

// breaks returns the error of a member that breaks a rule.
func breaks(field, kind, detail string) error {
	return keyward.Errorf(keyward.Invalid, "%s %s: %w",
		strings.TrimPrefix(field, "/"), detail, breach{field, kind, detail})
}

// validationOf returns what is wrong with the members of a request, nil if err names
// none.
func validationOf(err error) any {
	if found, ok := errors.AsType[breach](err); ok {
		if found.Type == missing {
			return validation{Missing: []string{found.Field}}
		}
		return validation{Invalid: []breach{found}}
	}
	var wrong validation
	for _, field := range keyward.FieldsOf(err) {
		wrong.Invalid = append(wrong.Invalid, breach{field.Pointer, failed, field.Detail})
	}
	if wrong.Invalid == nil {
		return nil
	}
	return wrong
}
