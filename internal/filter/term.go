package filter

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"keyward"
)

// Single reports whether a term that is not Null stands for one value rather than a
// range of them.
func (t Term) Single() bool { return t.From == t.To }

// Bool returns the value of a term whose clause is of kind Bool.
func (t Term) Bool() bool { return t.From == 1 }

// term checks a literal against the kind of f. Errors continue a sentence that
// begins with the value.
func (f Field) term(v literal) (Term, error) {
	if isNull(v) {
		return f.null()
	}
	if v.ranged && f.Kind != Number && f.Kind != Instant {
		return Term{}, errors.New(`is a range, which only numbers and instants have; quote a text that contains ".."`)
	}
	switch f.Kind {
	case Number:
		return span(v, parseNumber)
	case Instant:
		return span(v, parseInstant)
	case Bool:
		return span(v, parseBool)
	case Enum:
		return f.enum(v.from.text)
	case List:
		return Term{Text: v.from.text}, nil
	default:
		return Term{Text: keyward.Fold(v.from.text)}, nil
	}
}

func isNull(v literal) bool {
	return !v.ranged && !v.from.quoted && strings.EqualFold(v.from.text, "null")
}

func (f Field) null() (Term, error) {
	switch {
	case f.Nullable:
		return Term{Null: true}, nil
	case f.Kind == Text || f.Kind == List:
		return Term{}, errors.New(`is null, which this field never is; write "null" with quotes for the text`)
	default:
		return Term{}, errors.New("is null, which this field never is")
	}
}

func (f Field) enum(text string) (Term, error) {
	for _, value := range f.Values {
		if keyward.Fold(value) == keyward.Fold(text) {
			return Term{Text: value}, nil
		}
	}
	return Term{}, fmt.Errorf("is none of: %s", strings.Join(f.Values, ", "))
}

// span reads both ends of v, or its single value as both.
func span(v literal, parse func(string) (int64, error)) (Term, error) {
	t := Term{From: math.MinInt64, To: math.MaxInt64}
	var err error
	if !v.from.missing() {
		t.From, err = parse(v.from.text)
	}
	switch {
	case err != nil:
		return Term{}, err
	case !v.ranged:
		t.To = t.From
	case !v.to.missing():
		t.To, err = parse(v.to.text)
	}
	return t, err
}

func parseNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("is a number beyond 64 bits")
	case err != nil || text[0] == '+':
		return 0, errors.New("is not a whole number in decimal digits")
	}
	return n, nil
}

func parseInstant(text string) (int64, error) {
	if len(text) == len("2026-01-31") {
		text += "T00:00:00Z"
	}
	t, err := keyward.ParseTime(text)
	if err != nil {
		return 0, errors.New(keyward.MessageOf(err))
	}
	return int64(t), nil
}

func parseBool(text string) (int64, error) {
	switch keyward.Fold(text) {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	return 0, errors.New("is neither true nor false")
}
