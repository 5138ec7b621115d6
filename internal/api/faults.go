package api

import (
	"unicode/utf8"

	"keyward"
)

// Limits on what one answer says about one request.
const (
	maxFaults  = 20
	maxPointer = 256 // bytes
)

// faults collects what is wrong, up to a limit.
type faults struct{ keyward.Faults }

func (f *faults) add(pointer, format string, args ...any) {
	if len(f.Faults) == maxFaults {
		return
	}
	if len(pointer) > maxPointer {
		cut := maxPointer
		for !utf8.RuneStart(pointer[cut]) {
			cut--
		}
		pointer = pointer[:cut] + "…"
	}
	f.Add(pointer, format, args...)
}
