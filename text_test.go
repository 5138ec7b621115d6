package keyward_test

import (
	"strings"
	"testing"
	"unicode"

	"keyward"
)

func TestFoldMakesLetterCaseEqual(t *testing.T) {
	for name, test := range map[string]struct{ one, other string }{
		"Latin":         {"Straße", "sTRAßE"},
		"Greek":         {"ΣΊΣΥΦΟΣ", "σίσυφος"},
		"Cyrillic":      {"КЛЮЧ", "ключ"},
		"Kelvin":        {"\u212a", "k"},
		"the long s":    {"ſ", "S"},
		"Cherokee":      {"Ꭰ", "ꭰ"},
		"nothing to do": {"42 鍵", "42 鍵"},
	} {
		t.Run(name, func(t *testing.T) {
			if a, b := keyward.Fold(test.one), keyward.Fold(test.other); a != b {
				t.Errorf("Fold(%q) = %q, Fold(%q) = %q", test.one, a, test.other, b)
			}
		})
	}
}

func TestFoldingTwiceIsFoldingOnce(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		once := keyward.Fold(string(r))
		if keyward.Fold(once) != once {
			t.Errorf("Fold(%q) = %q, and once more %q", r, once, keyward.Fold(once))
		}
		if r < 0x80 && once != strings.ToLower(string(r)) {
			t.Errorf("Fold(%q) = %q", r, once)
		}
	}
}
