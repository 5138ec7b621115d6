package filter

import (
	"errors"
	"strings"
)

// scanner cuts the text of a filter into names and literals, in one pass.
type scanner struct {
	text string
	pos  int
}

// literal is a value as written, before it is known what its field holds.
type literal struct {
	negated  bool
	ranged   bool // from..to rather than from alone
	from, to word
}

// word is text freed of its quotes and escapes.
type word struct {
	text   string
	quoted bool
}

// missing reports whether nothing was written; "" is something.
func (w word) missing() bool { return w.text == "" && !w.quoted }

// name returns what stands before the next ":", and skips both. It is false if the
// clause ends before that.
func (s *scanner) name() (string, bool) {
	rest := s.text[s.pos:]
	end := strings.IndexAny(rest, ":;")
	if end < 0 || rest[end] == ';' {
		return "", false
	}
	s.pos += end + 1
	return rest[:end], true
}

// value reads one value, up to the "," or ";" behind it or the end. Errors continue
// a sentence that begins with the value.
func (s *scanner) value() (v literal, err error) {
	v.negated = s.skip("!")
	switch {
	case s.at("!"):
		return v, errors.New(`begins with "!!"; quote a text that begins with "!"`)
	case s.at("@"):
		return v, errors.New(`names a saved list, which is not supported; quote a text that begins with "@"`)
	}
	if v.from, err = s.word(); err != nil {
		return v, err
	}
	if v.ranged = s.skip(".."); v.ranged {
		v.to, err = s.word()
	}
	switch {
	case err != nil:
		return v, err
	case s.at(".."):
		return v, errors.New(`has ".." more than once`)
	case v.from.missing() && !v.ranged:
		return v, errors.New(`is empty; write "" for the empty text`)
	case v.from.missing() && v.to.missing():
		return v, errors.New("is a range without ends")
	}
	return v, nil
}

// word reads up to the next separator.
func (s *scanner) word() (word, error) {
	if s.skip(`"`) {
		return s.quoted()
	}
	var b strings.Builder
	for !s.atSeparator() {
		if s.at(`"`) {
			return word{}, errors.New(`has a quote in its middle; write \"`)
		}
		c, err := s.char()
		if err != nil {
			return word{}, err
		}
		b.WriteByte(c)
	}
	return word{text: b.String()}, nil
}

// quoted reads up to the closing quote, which must be followed by a separator.
func (s *scanner) quoted() (word, error) {
	var b strings.Builder
	for !s.skip(`"`) {
		if s.pos == len(s.text) {
			return word{}, errors.New("has no closing quote")
		}
		c, err := s.char()
		if err != nil {
			return word{}, err
		}
		b.WriteByte(c)
	}
	if !s.atSeparator() {
		return word{}, errors.New("goes on after its closing quote")
	}
	return word{text: b.String(), quoted: true}, nil
}

// char reads one byte, escaped or not. It is not called at the end.
func (s *scanner) char() (byte, error) {
	if s.skip(`\`) && (s.pos == len(s.text) || !strings.Contains(`,;:\"!.@`, s.text[s.pos:s.pos+1])) {
		return 0, errors.New(`has a backslash before something other than , ; : \ " ! . @`)
	}
	s.pos++
	return s.text[s.pos-1], nil
}

func (s *scanner) at(token string) bool { return strings.HasPrefix(s.text[s.pos:], token) }

func (s *scanner) atSeparator() bool {
	return s.pos == len(s.text) || s.at(",") || s.at(";") || s.at("..")
}

// skip steps over token if it comes next.
func (s *scanner) skip(token string) bool {
	if !s.at(token) {
		return false
	}
	s.pos += len(token)
	return true
}
