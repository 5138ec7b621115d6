package plainhttp

import (
	"net/http"
	"net/url"
	"strings"
)

// The largest head that is read here.
const (
	maxHead   = 16 << 10 // bytes
	maxFields = 100
)

// headEnd ends the head of a request.
const headEnd = "\r\n\r\n"

// head is the part of a request before its body.
type head struct {
	text   string // with the empty line that ends it
	method string
	target string
	url    *url.URL // of target
	host   string
	header http.Header // without Host
	length int         // of the body
	close  bool        // the client wants no other request
}

// parseHead reads a head, and reports whether it is plain: as RFC 9112 has clients
// write it, with one reading only. What it does not know it does not take, so that
// nothing here decides what an odd request means:
//
//   - the method is in capitals, the target a path, the version HTTP/1.1;
//   - lines end with CR LF, fields have no space around their names and hold visible
//     ASCII, spaces and tabs;
//   - there is one Host and at most one Content-Length, and neither Transfer-Encoding nor
//     anything else that changes what follows on the connection.
func parseHead(text string) (h head, ok bool) {
	line, rest, _ := strings.Cut(text, "\r\n")
	h = head{text: text, header: make(http.Header, 8)}
	if !strings.HasSuffix(text, headEnd) || !h.requestLine(line) {
		return head{}, false
	}
	for range maxFields {
		line, rest, _ = strings.Cut(rest, "\r\n")
		if line == "" {
			return h, rest == "" && h.host != ""
		}
		if !h.field(line) {
			return head{}, false
		}
	}
	return head{}, false
}

func (h *head) requestLine(line string) bool {
	method, rest, _ := strings.Cut(line, " ")
	target, version, _ := strings.Cut(rest, " ")
	h.method, h.target = method, target
	capital := func(c byte) bool { return 'A' <= c && c <= 'Z' }
	visible := func(c byte) bool { return '!' <= c && c <= '~' && c != '#' }
	if version != "HTTP/1.1" || !all(method, capital) || method == http.MethodConnect ||
		!all(target, visible) || target[0] != '/' {
		return false
	}
	var err error
	h.url, err = url.ParseRequestURI(target)
	return err == nil
}

// field takes one line in.
func (h *head) field(line string) bool {
	name, value, found := strings.Cut(line, ":")
	value = strings.Trim(value, " \t")
	if !found || !all(name, isToken) || value != "" && !all(value, isValue) {
		return false
	}
	name = http.CanonicalHeaderKey(name)
	switch name {
	case "Host":
		unique := h.host == ""
		h.host = value
		return unique && all(value, isHost)
	case "Content-Length":
		return h.header[name] == nil && h.setLength(value)
	case "Connection":
		if h.header[name] != nil {
			return false
		}
		h.close = strings.EqualFold(value, "close")
		if !h.close && !strings.EqualFold(value, "keep-alive") {
			return false
		}
	case "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Expect", "Http2-Settings", "Proxy-Connection", "Keep-Alive", "Pragma":
		return false
	}
	h.header[name] = append(h.header[name], value)
	return true
}

// setLength takes a length of up to nine digits in its shortest form.
func (h *head) setLength(value string) bool {
	digit := func(c byte) bool { return '0' <= c && c <= '9' }
	if len(value) > 9 || !all(value, digit) || value[0] == '0' && value != "0" {
		return false
	}
	for _, c := range []byte(value) {
		h.length = 10*h.length + int(c-'0')
	}
	h.header["Content-Length"] = []string{value}
	bodiless := h.method == http.MethodGet || h.method == http.MethodHead
	return h.length == 0 || !bodiless
}

// all reports whether text is not empty and has only bytes that are.
func all(text string, are func(byte) bool) bool {
	for i := range len(text) {
		if !are(text[i]) {
			return false
		}
	}
	return text != ""
}

// isToken is tchar of RFC 9110, 5.6.2.
func isToken(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isValue(c byte) bool { return ' ' <= c && c <= '~' || c == '\t' }

func isHost(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(".-_:[]", c) >= 0
}
