package api

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"keyward"
)

// The longest path and query that are looked at, in bytes.
const (
	maxPath  = 4 << 10
	maxQuery = 16 << 10
)

// screen refuses requests that no route could mean, before the mux sees them: it
// would redirect them or answer in its own words.
func screen(r *http.Request) error {
	if len(r.URL.Path) > maxPath || len(r.URL.RawPath) > maxPath || len(r.URL.RawQuery) > maxQuery {
		return keyward.Errorf(URITooLong, "the path or the query is too long")
	}
	if r.Method != http.MethodConnect && !proper(r.URL) {
		return keyward.Errorf(keyward.NotFound, "no such path")
	}
	if expect := r.Header.Get("Expect"); expect != "" && !strings.EqualFold(expect, "100-continue") {
		return keyward.Errorf(ExpectationFailed, "only 100-continue can be expected")
	}
	return nil
}

// proper reports whether the path has one reading only: absolute, without empty or
// dot segments, however encoded, and without slashes, backslashes or control
// characters hidden in percent-escapes. A trailing slash is proper.
func proper(u *url.URL) bool {
	escaped := u.EscapedPath()
	if !strings.HasPrefix(escaped, "/") || strings.Contains(escaped, "//") {
		return false
	}
	if strings.Count(escaped, "/") != strings.Count(u.Path, "/") || !utf8.ValidString(u.Path) {
		return false
	}
	if strings.ContainsFunc(u.Path, func(c rune) bool { return c == '\\' || unicode.IsControl(c) }) {
		return false
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}
