package api

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
)

// parser builds a tree from its text.
type parser struct {
	tree
	pos int
}

// expected is the error of a text that goes on wrongly.
func (p *parser) expected(what string) error {
	return unreadable("is not JSON: expected %s at byte %d", what, p.pos)
}

func (p *parser) space() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, and at the end 0, which JSON does not use.
func (p *parser) peek() byte {
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

// take skips c if it comes next, and the space after it.
func (p *parser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.pos++
	p.space()
	return true
}

// value reads a value, whose parent is up, and the space after it.
func (p *parser) value(up int, name string, depth int) error {
	i := len(p.nodes)
	p.nodes = append(p.nodes, node{name: name, up: up, start: p.pos})
	found, err := p.content(i, depth)
	if err != nil {
		return err
	}
	n := &p.nodes[i]
	n.kind, n.end, n.next = found, p.pos, len(p.nodes)
	p.space()
	if found == objectKind {
		p.checkTwins(i)
	}
	return nil
}

func (p *parser) content(i, depth int) (kind, error) {
	switch c := p.peek(); c {
	case '{', '[':
		if depth == maxDepth {
			return 0, unreadable("is nested deeper than %d levels at byte %d", maxDepth, p.pos)
		}
		p.nodes[i].kind = kind(c)
		if c == '{' {
			return objectKind, p.object(i, depth+1)
		}
		return arrayKind, p.array(i, depth+1)
	case '"':
		escaped, err := p.quoted(i, "contains")
		p.nodes[i].escaped = escaped
		return stringKind, err
	case 't':
		return trueKind, p.word("true")
	case 'f':
		return falseKind, p.word("false")
	case 'n':
		return nullKind, p.word("null")
	default:
		return numberKind, p.number()
	}
}

func (p *parser) word(word string) error {
	if !strings.HasPrefix(p.text[p.pos:], word) {
		return p.expected("a value")
	}
	p.pos += len(word)
	return nil
}

// object and array stop right behind the closing bracket, which ends the value.
func (p *parser) object(i, depth int) error {
	if p.take('{'); p.peek() == '}' {
		p.pos++
		return nil
	}
	for {
		name, err := p.memberName(i)
		if err != nil {
			return err
		}
		if p.space(); !p.take(':') {
			return p.expected(`":"`)
		}
		if err := p.value(i, name, depth); err != nil {
			return err
		}
		if p.peek() == '}' {
			p.pos++
			return nil
		}
		if !p.take(',') {
			return p.expected(`"," or "}"`)
		}
	}
}

func (p *parser) memberName(i int) (string, error) {
	if p.peek() != '"' {
		return "", p.expected("the name of a member")
	}
	start := p.pos
	escaped, err := p.quoted(i, "has a member whose name contains")
	if err != nil {
		return "", err
	}
	return unquote(p.text[start:p.pos], escaped), nil
}

func (p *parser) array(i, depth int) error {
	if p.take('['); p.peek() == ']' {
		p.pos++
		return nil
	}
	for {
		if err := p.value(i, "", depth); err != nil {
			return err
		}
		if p.peek() == ']' {
			p.pos++
			return nil
		}
		if !p.take(',') {
			return p.expected(`"," or "]"`)
		}
	}
}

// number skips -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (p *parser) number() error {
	if p.peek() == '-' {
		p.pos++
	}
	if p.peek() == '0' {
		p.pos++
	} else if !p.digits() {
		return p.expected("a value")
	}
	if p.peek() == '.' {
		if p.pos++; !p.digits() {
			return p.expected("a digit")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.digits() {
			return p.expected("a digit")
		}
	}
	return nil
}

func (p *parser) digits() bool {
	start := p.pos
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.pos++
	}
	return p.pos > start
}

// quoted skips a string and reports whether it holds escapes. Characters that no
// text should hold are faults of node i, told after says.
func (p *parser) quoted(i int, says string) (escaped bool, err error) {
	for p.pos++; ; p.pos++ {
		switch c := p.peek(); {
		case c == '"':
			p.pos++
			return escaped, nil
		case c < ' ':
			return escaped, p.expected("the rest of a string")
		case c == '\\':
			escaped = true
			why, err := p.escape()
			if err != nil {
				return escaped, err
			}
			if why != "" {
				p.fault(i, "%s %s", says, why)
			}
		}
	}
}

// escape skips an escape but for its last character, and says what is wrong with
// the character that it stands for.
func (p *parser) escape() (why string, err error) {
	p.pos++
	if c := p.peek(); c != 'u' {
		if c == 0 || strings.IndexByte(`"\/bfnrt`, c) < 0 {
			return "", p.expected("an escape")
		}
		return "", nil
	}
	unit, ok := p.hex(p.pos + 1)
	if !ok {
		return "", p.expected("four hexadecimal digits")
	}
	p.pos += 4
	if unit == 0 {
		return "the character NUL", nil
	}
	if !utf16.IsSurrogate(unit) {
		return "", nil
	}
	second, ok := p.hex(p.pos + 3)
	if !ok || p.text[p.pos+1:p.pos+3] != `\u` || utf16.DecodeRune(unit, second) == '\uFFFD' {
		return "half a surrogate pair", nil
	}
	p.pos += 6
	return "", nil
}

// hex returns the UTF-16 unit that four hexadecimal digits at pos stand for.
func (p *parser) hex(pos int) (rune, bool) {
	if pos+4 > len(p.text) {
		return 0, false
	}
	unit, err := strconv.ParseUint(p.text[pos:pos+4], 16, 16)
	return rune(unit), err == nil
}

// unquote returns what a string literal stands for. Without escapes that is a part of
// the literal, not a copy.
func unquote(literal string, escaped bool) string {
	if !escaped {
		return literal[1 : len(literal)-1]
	}
	var text string
	_ = json.Unmarshal([]byte(literal), &text) // the parser has seen that it is well formed
	return text
}
