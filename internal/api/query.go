package api

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"keyward"
)

// Query is the parameters of a query or a form, each at most once. The zero value is
// empty.
type Query struct{ values map[string]string }

// Has reports whether the parameter was given, perhaps empty.
func (q Query) Has(name string) bool { _, ok := q.values[name]; return ok }

// Text returns the value of the parameter, "" if it was not given.
func (q Query) Text(name string) string { return q.values[name] }

// Int returns the value of the parameter, or without one the given default. Anything
// but decimal digits that make a number from least to most is Invalid.
func (q Query) Int(name string, without, least, most int) (int, error) {
	text, ok := q.values[name]
	if !ok {
		return without, nil
	}
	digits := strings.TrimPrefix(text, "-")
	n, err := strconv.Atoi(text)
	if err != nil || strings.Trim(digits, "0123456789") != "" || n < least || n > most {
		return 0, wrongParameter(name, fmt.Sprintf("must be a whole number from %d to %d", least, most))
	}
	return n, nil
}

// Bool returns the value of the parameter, false without one. Anything but "true" and
// "false" is Invalid.
func (q Query) Bool(name string) (bool, error) {
	switch text, ok := q.values[name]; {
	case !ok || text == "false":
		return false, nil
	case text == "true":
		return true, nil
	}
	return false, wrongParameter(name, "must be true or false")
}

func wrongParameter(name, detail string) error {
	var f keyward.Faults
	f.Add("/"+keyward.EscapePointer(name), "%s", detail)
	return f.Err()
}

// parsePairs reads the text of a query or a form strictly. Pairs are split at "&" only;
// each must be name=value in well-formed percent-escapes of UTF-8 without control
// characters; no name may come twice, and only known names at all. If loose, unknown
// parameters are checked like all others and then forgotten. What is wrong is Invalid
// and names the parameter.
func parsePairs(raw string, known []string, loose bool) (Query, error) {
	if raw == "" {
		return Query{}, nil
	}
	var f faults
	seen := make(map[string]string)
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, why := parsePair(pair)
		_, repeated := seen[name]
		switch {
		case why != "":
			f.add(at(name), "%s", why)
		case repeated:
			f.add(at(name), "is given more than once")
		case !loose && !slices.Contains(known, name):
			f.add(at(name), "is not a parameter here")
		}
		seen[name] = value
	}
	if err := f.Err(); err != nil {
		return Query{}, err
	}
	for name := range seen {
		if !slices.Contains(known, name) {
			delete(seen, name)
		}
	}
	return Query{seen}, nil
}

// maxShownName is up to how long the name of a parameter is repeated in an error.
// Secrets are longer.
const maxShownName = 50

// at returns the pointer to a parameter, or to all of the query if that could show a
// secret.
func at(name string) string {
	if name == "" || len(name) > maxShownName {
		return ""
	}
	return "/" + keyward.EscapePointer(name)
}

// parsePair decodes one pair or says what is wrong with it. A name that cannot be
// shown is "".
func parsePair(pair string) (name, value, why string) {
	rawName, rawValue, ok := strings.Cut(pair, "=")
	name, err := url.QueryUnescape(rawName)
	switch {
	case err != nil || !printable(name):
		return "", "", "has a parameter whose name is not well-formed text"
	case !ok: // whatever it is, it was not meant as a name: perhaps a body, or a secret
		return "", "", `has a parameter without "="`
	case name == "":
		return "", "", "has a parameter without a name"
	}
	value, err = url.QueryUnescape(rawValue)
	switch {
	case err != nil:
		return name, "", "has a malformed percent-escape"
	case !utf8.ValidString(value):
		return name, "", "is not UTF-8"
	case !printable(value):
		return name, "", "contains a control character"
	}
	return name, value, ""
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
