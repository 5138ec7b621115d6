package main

import (
	"errors"
	"strings"

	"keyward"
)

// explain returns what to tell about an error, in one line. Causes are for the
// person at the machine, who has the right to see them; secrets, such as one in an
// argument that was not understood, are for nobody.
func explain(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*keyward.Error](err); ok {
		text = e.Message
		if cause := errors.Unwrap(e); cause != nil {
			text += ": " + cause.Error()
		}
	}
	return printable(secretForm.ReplaceAllString(strings.Join(strings.Fields(text), " "), "[redacted]"))
}
