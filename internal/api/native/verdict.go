package native

import (
	"strconv"
	"unicode/utf8"

	"keyward"
	"keyward/internal/verify"
)

// appendVerdict appends a verdict as JSON. Of a key that is not found it says nothing
// more. It is written by hand, because it is the answer to nearly every request, and
// says what encoding/json would without escaping HTML.
func appendVerdict(b []byte, v *verify.Verdict) []byte {
	b = append(b, `{"valid":`...)
	b = strconv.AppendBool(b, v.Reason == keyward.Valid)
	b = append(b, `,"code":"`...)
	b = append(b, v.Reason.String()...)
	b = append(b, '"')
	if v.Reason != keyward.Unknown {
		b = appendKnown(b, v)
	}
	if len(v.Checks) > 0 {
		b = appendChecks(append(b, `,"checks":`...), v.Checks)
	}
	return append(b, '}')
}

// appendKnown appends the members that are there for keys that were found.
func appendKnown(b []byte, v *verify.Verdict) []byte {
	s := &v.Subject
	b = appendText(append(b, `,"keyId":`...), s.KeyID)
	b = strconv.AppendInt(append(b, `,"version":`...), int64(v.Version), 10)
	b = appendText(append(b, `,"organizationId":`...), s.OrganizationID)
	b = appendTexts(append(b, `,"projectIds":`...), s.ProjectIDs)
	b = append(b, `,"ownerId":`...)
	if s.OwnerID == "" {
		b = append(b, `null`...)
	} else {
		b = appendText(b, s.OwnerID)
	}
	b = appendText(append(b, `,"name":`...), s.Name)
	b = appendText(append(b, `,"type":`...), string(s.Type))
	b = appendText(append(b, `,"environment":`...), string(s.Environment))
	b = appendRaw(append(b, `,"metadata":`...), s.Metadata)
	b = appendTime(append(b, `,"expireTime":`...), s.ExpireTime)
	b = append(b, `,"credits":`...)
	if v.Balance == nil {
		b = append(b, `null`...)
	} else {
		b = strconv.AppendInt(append(b, `{"remaining":`...), v.Balance.Remaining, 10)
		b = append(b, '}')
	}
	return appendAllowances(append(b, `,"rateLimits":`...), v.Allowances)
}

func appendAllowances(b []byte, allowances []keyward.Allowance) []byte {
	b = append(b, '[')
	for i := range allowances {
		a := &allowances[i]
		b = appendText(append(separate(b, i), `{"name":`...), a.Name)
		b = strconv.AppendInt(append(b, `,"limit":`...), a.Limit, 10)
		b = strconv.AppendInt(append(b, `,"remaining":`...), a.Remaining, 10)
		b = appendTime(append(b, `,"resetTime":`...), a.ResetTime)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendChecks(b []byte, checks []keyward.Check) []byte {
	b = append(b, '[')
	for i, check := range checks {
		b = append(separate(b, i), `{"check":"`...)
		b = append(b, check.Check.String()...)
		b = strconv.AppendBool(append(b, `","passed":`...), check.Passed)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendTexts(b []byte, texts []string) []byte {
	b = append(b, '[')
	for i, text := range texts {
		b = appendText(separate(b, i), text)
	}
	return append(b, ']')
}

// separate appends what stands before element i of an array.
func separate(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

// appendTime appends the form of [keyward.Time.MarshalJSON].
func appendTime(b []byte, t keyward.Time) []byte {
	if t == 0 {
		return append(b, `null`...)
	}
	std := t.Std()
	year, month, day := std.Date()
	hour, minute, second := std.Clock()
	b = appendDigits(append(b, '"'), year, 4)
	b = appendDigits(append(b, '-'), int(month), 2)
	b = appendDigits(append(b, '-'), day, 2)
	b = appendDigits(append(b, 'T'), hour, 2)
	b = appendDigits(append(b, ':'), minute, 2)
	b = appendDigits(append(b, ':'), second, 2)
	b = appendDigits(append(b, '.'), std.Nanosecond()/1e6, 3)
	return append(b, `Z"`...)
}

// appendDigits appends the last count decimal digits of n, which is not negative.
func appendDigits(b []byte, n, count int) []byte {
	for range count {
		b = append(b, '0')
	}
	for i := len(b) - 1; count > 0; i, count, n = i-1, count-1, n/10 {
		b[i] = byte('0' + n%10)
	}
	return b
}

// appendText appends a JSON string.
func appendText(b []byte, text string) []byte {
	b = append(b, '"')
	start := 0 // of what is not appended yet, and means itself
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		if c < utf8.RuneSelf || r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' {
			b = appendEscape(append(b, text[start:i]...), r)
			start = i + size
		}
		i += size
	}
	return append(append(b, text[start:]...), '"')
}

// appendEscape appends a character that does not stand for itself, in the spelling of
// encoding/json.
func appendEscape(b []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// appendRaw appends what is JSON already, without the space between its parts.
func appendRaw(b []byte, raw []byte) []byte {
	if raw == nil {
		return append(b, `null`...)
	}
	quoted, escaped := false, false
	for _, c := range raw {
		switch {
		case escaped:
			escaped = false
		case c == '"':
			quoted = !quoted
		case c == '\\':
			escaped = true
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		}
		b = append(b, c)
	}
	return b
}
