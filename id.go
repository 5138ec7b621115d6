package keyward

import (
	"crypto/rand"
	"encoding/binary"
	"regexp"
	"sync"
)

// The type prefixes of ids.
const (
	OrganizationPrefix = "org"
	ProjectPrefix      = "prj"
	KeyPrefix          = "key"
	OperatorPrefix     = "opr"
	EventPrefix        = "evt"
	TokenPrefix        = "tok"
)

// crockford is base 32 without the letters that are misread, in lower case: it
// sorts as the numbers do.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// IDs makes ids: a prefix, an underscore and 26 characters that hold 48 bits of
// milliseconds and 80 random bits. Ids made by one IDs sort in the order in which
// they were made. The zero value is ready; it is safe for concurrent use.
type IDs struct {
	mu   sync.Mutex
	last [16]byte
}

// New returns the next id at the instant now.
func (s *IDs) New(prefix string, now Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now)<<16)
	rand.Read(b[6:])
	b[6] &= 0x7f // room to count up within the millisecond
	if string(b[:6]) <= string(s.last[:6]) {
		b = s.last
		for i := len(b) - 1; i >= 0; i-- {
			if b[i]++; b[i] != 0 {
				break
			}
		}
	}
	s.last = b
	return prefix + "_" + encodeID(b)
}

// encodeID writes 128 bits as 26 base-32 characters, most significant first.
func encodeID(b [16]byte) string {
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	var text [26]byte
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = crockford[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return string(text[:])
}

var (
	chosenID = regexp.MustCompile(`^[@~\-.\w]{1,50}$`)
	publicID = regexp.MustCompile(`^[a-z]{8}$`)
)

// ValidKeyID reports whether a client may choose id for a key, as Rebilly's API lets it.
// Ids in the form of made ones are refused: one could be taken before its time.
func ValidKeyID(id string) bool {
	return chosenID.MatchString(id) && id != "." && id != ".." && !hasPrefix(id, KeyPrefix+"_")
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

// NewClientID returns 32 random characters of [A-Za-z0-9], the client id of a key.
func NewClientID() string { return randomText(base62, 32) }

// NewPublicID returns eight random lower-case letters, the public id of an
// organization or a project.
func NewPublicID() string { return randomText("abcdefghijklmnopqrstuvwxyz", 8) }

// randomText returns n characters of alphabet, each equally likely: bytes beyond
// the last whole multiple of its length are thrown away. It takes its bits from
// the operating system.
func randomText(alphabet string, n int) string {
	limit := 256 - 256%len(alphabet)
	text := make([]byte, 0, n)
	var pool [64]byte
	for len(text) < n {
		rand.Read(pool[:])
		for _, b := range pool {
			if int(b) < limit && len(text) < n {
				text = append(text, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	clear(pool[:])
	return string(text)
}
