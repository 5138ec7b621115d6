package keyring

import (
	"encoding/base64"
	"strings"

	"keyward"
)

// MaxCursorLength bounds the text of a cursor, in bytes.
const MaxCursorLength = 4096

// cursorText is how cursors are written: strictly, so that each has one spelling.
var cursorText = base64.RawURLEncoding.Strict()

// SealCursor encrypts plain, a place in a list, as URL-safe text that only opens
// for the same binding: everything that the list depends on, such as its
// organization, filter and sort. Places over 3000 bytes give no usable cursor.
func (k *Keyring) SealCursor(plain []byte, binding string) string {
	box := mustSeal(k.cursorKey(binding), plain, bind(cursorBox, binding))
	return cursorText.EncodeToString(box)
}

// OpenCursor returns the place that [Keyring.SealCursor] wrote for the same
// binding. Whatever is wrong with text, the error is the same: Invalid, at /cursor.
func (k *Keyring) OpenCursor(text, binding string) ([]byte, error) {
	// The decoder skips line breaks, which are no part of a cursor.
	if len(text) > MaxCursorLength || strings.ContainsAny(text, "\r\n") {
		return nil, errCursor()
	}
	box, err := cursorText.DecodeString(text)
	if err != nil {
		return nil, errCursor()
	}
	plain, err := open(k.cursorKey(binding), box, bind(cursorBox, binding))
	if err != nil {
		return nil, errCursor()
	}
	return plain, nil
}

// cursorKey gives each binding a key of its own: cursors are many, and one key
// must not meet the same random nonce twice.
func (k *Keyring) cursorKey(binding string) []byte {
	return derive(k.keys().cursor, cursorLabel+"/"+binding, keySize)
}

func errCursor() error {
	var faults keyward.Faults
	faults.Add("/cursor", "is not a cursor of this list")
	return faults.Err()
}
