package main

import (
	"errors"
	"strings"

	"keyward"
)

// explain returns what to tell about an error, in one line. Causes are for the
// person at the machine, who has the right to see them.
func explain(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*keyward.Error](err); ok {
		text = e.Message
		if cause := errors.Unwrap(e); cause != nil {
			text += ": " + cause.Error()
		}
	}
	return strings.Join(strings.Fields(text), " ")
}
