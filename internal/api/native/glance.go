package native

import (
	"strconv"
	"strings"
)

// glance reads JSON without reflection and without copying, as long as it is plain: no
// escapes, no fractions, nothing that is not expected. Where it is not, the strict
// reader of package api has to look: it takes more, and says what is wrong. What a
// glance takes, the strict reader takes too, and reads the same.
//
// The text must be UTF-8 throughout.
type glance struct {
	text string
	pos  int
}

func (g *glance) space() {
	for g.pos < len(g.text) {
		switch g.text[g.pos] {
		case ' ', '\t', '\n', '\r':
			g.pos++
		default:
			return
		}
	}
}

// take skips c, if it comes next, and the space around it.
func (g *glance) take(c byte) bool {
	g.space()
	if g.pos == len(g.text) || g.text[g.pos] != c {
		return false
	}
	g.pos++
	g.space()
	return true
}

// word skips a word if it comes next.
func (g *glance) word(word string) bool {
	if !strings.HasPrefix(g.text[g.pos:], word) {
		return false
	}
	g.pos += len(word)
	return true
}

// str reads a string that stands for itself.
func (g *glance) str() (string, bool) {
	if !g.word(`"`) {
		return "", false
	}
	for i := g.pos; i < len(g.text); i++ {
		switch c := g.text[i]; {
		case c == '"':
			text := g.text[g.pos:i]
			g.pos = i + 1
			return text, true
		case c < ' ', c == '\\':
			return "", false
		}
	}
	return "", false
}

// boolean reads true or false.
func (g *glance) boolean() (value, ok bool) {
	if g.word("true") {
		return true, true
	}
	return false, g.word("false")
}

// integer reads a whole number of up to eighteen digits. What stands behind it is for
// the caller to mind: a fraction is no comma.
func (g *glance) integer() (int64, bool) {
	start := g.pos
	g.word("-")
	digits := g.pos
	for g.pos < len(g.text) && '0' <= g.text[g.pos] && g.text[g.pos] <= '9' {
		g.pos++
	}
	count := g.pos - digits
	if count == 0 || count > 18 || count > 1 && g.text[digits] == '0' {
		return 0, false
	}
	n, err := strconv.ParseInt(g.text[start:g.pos], 10, 64)
	return n, err == nil
}

// object reads an object: member reads the value of each, whose name is never the same
// text twice if it says so.
func (g *glance) object(member func(name string) bool) bool {
	if !g.take('{') {
		return false
	}
	if g.take('}') {
		return true
	}
	for {
		name, ok := g.str()
		if !ok || !g.take(':') || !member(name) {
			return false
		}
		if g.take('}') {
			return true
		}
		if !g.take(',') {
			return false
		}
	}
}

// array reads an array: element reads each.
func (g *glance) array(element func() bool) bool {
	if !g.take('[') {
		return false
	}
	if g.take(']') {
		return true
	}
	for element() {
		if g.take(']') {
			return true
		}
		if !g.take(',') {
			return false
		}
	}
	return false
}

// end reports whether nothing is left.
func (g *glance) end() bool {
	g.space()
	return g.pos == len(g.text)
}
