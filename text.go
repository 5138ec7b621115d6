package keyward

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fold returns text as it is compared where letter case does not matter. Both
// databases store it beside the text, so that they agree.
func Fold(text string) string { return strings.ToLower(strings.ToUpper(text)) }

// wrongText says why text is not printable text of least to most characters, or "".
// Controls and the marks that reorder text are refused: they can make a list or a
// log line lie about what it shows.
func wrongText(text string, least, most int) string {
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case n < least && n == 0:
		return "is empty"
	case n < least || n > most:
		return fmt.Sprintf("must have %d to %d characters", least, most)
	}
	for _, r := range text {
		if unicode.IsControl(r) || r > unicode.MaxLatin1 && (unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029') {
			return fmt.Sprintf("contains the control character %U", r)
		}
	}
	return ""
}

// wrongName is wrongText for the names that people give: something must show.
func wrongName(name string) string {
	if why := wrongText(name, 1, 255); why != "" {
		return why
	}
	for _, r := range name {
		if !unicode.IsSpace(r) && unicode.IsGraphic(r) {
			return ""
		}
	}
	return "must have at least one character that is not a space"
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// EscapePointer writes the name of a member as one segment of a JSON pointer (RFC 6901).
func EscapePointer(name string) string { return pointerEscaper.Replace(name) }
