package filter

import (
	"math"
	"strconv"
	"strings"

	"keyward"
)

// String returns the canonical text of f. What differs only in escapes, in the case
// of what is folded, or in how numbers and instants are written has the same
// canonical text, and [Parse] with the same schema reads f from it. It may be longer
// than the text that f came from, and thus than [MaxLength].
func (f Filter) String() string {
	var b strings.Builder
	for i, c := range f {
		if i > 0 {
			b.WriteByte(';')
		}
		c.write(&b)
	}
	return b.String()
}

// String returns the canonical text of s, from which [ParseSort] reads s.
func (s Sort) String() string {
	names := make([]string, len(s))
	for i, o := range s {
		names[i] = o.Name
		if o.Descending {
			names[i] = "-" + o.Name
		}
	}
	return strings.Join(names, ",")
}

func (c Clause) write(b *strings.Builder) {
	b.WriteString(c.Name)
	b.WriteByte(':')
	for i, t := range c.Terms {
		if i > 0 {
			b.WriteByte(',')
		}
		if c.Negated {
			b.WriteByte('!')
		}
		b.WriteString(t.text(c.Kind))
	}
}

// text returns t as a filter writes it.
func (t Term) text(kind Kind) string {
	switch {
	case t.Null:
		return "null"
	case kind == Number:
		return t.span(func(n int64) string { return strconv.FormatInt(n, 10) })
	case kind == Instant:
		return t.span(func(ms int64) string { return keyward.Time(ms).String() })
	case kind == Bool:
		return strconv.FormatBool(t.Bool())
	}
	return quote(t.Text)
}

func (t Term) span(format func(int64) string) string {
	switch {
	case t.Single():
		return format(t.From)
	case t.To == math.MaxInt64: // also if both ends are open, since ".." alone is refused
		return format(t.From) + ".."
	case t.From == math.MinInt64:
		return ".." + format(t.To)
	}
	return format(t.From) + ".." + format(t.To)
}

// quote puts quotes around text if it would be read as something else without them.
func quote(text string) string {
	plain := text != "" && !strings.EqualFold(text, "null") &&
		!strings.ContainsAny(text, `,;:\"!@`) && !strings.Contains(text, "..")
	if plain {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
