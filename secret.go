package keyward

import (
	"fmt"
	"hash/crc32"
	"log/slog"
	"regexp"
	"strings"
)

// base62 is the alphabet of secrets, in the order of its digits' values.
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// The parts of a generated secret: {prefix}_{environment}_{id}{random}{crc}.
const (
	publicLength   = 12 // characters that identify the secret and are not secret
	randomLength   = 32 // 190 bits
	checksumLength = 6
)

// OperatorSecretPrefix begins every operator's credential. No organization may
// choose it for its keys.
const OperatorSecretPrefix = "kwop"

// MaxSecretLength bounds the text of any secret, foreign ones included, in bytes.
const MaxSecretLength = 512

// SecretPattern finds generated secrets in text; [Secret.Generated] then checks
// the sum. It is published for scanners.
const SecretPattern = `\b[a-z0-9]{1,15}_(live|test|sandbox)_[0-9A-Za-z]{50}\b`

var generated = regexp.MustCompile(`^[a-z0-9]{1,15}_(live|test|sandbox)_[0-9A-Za-z]{50}$`)

// redacted is what a secret or a digest shows of itself wherever it is printed.
const redacted = "[redacted]"

// Secret is the text that a caller presents as proof. It cannot be printed, logged
// or encoded by accident: every such way shows "[redacted]". [Secret.Reveal] is
// the only way out. The zero value is no secret at all. Secrets are not compared
// with ==.
type Secret struct {
	// A pointer, because fmt bypasses the methods of unexported fields and prints
	// what they hold.
	text *string
}

// NewSecret generates a secret. The prefix is the organization's, with "pub"
// appended for publishable keys.
func NewSecret(prefix string, environment Environment) Secret {
	text := prefix + "_" + string(environment) + "_" + randomText(base62, publicLength+randomLength)
	return ForeignSecret(text + checksum(text))
}

// ForeignSecret wraps text that somebody presented or chose. It is opaque: it need
// not have the form of a generated secret.
func ForeignSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text itself. Its callers are the answers that show a new
// secret once, and what computes digests.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Generated reports whether s has the form of a generated secret and its checksum.
func (s Secret) Generated() bool {
	text := s.Reveal()
	if len(text) > MaxSecretLength || !generated.MatchString(text) {
		return false
	}
	body := len(text) - checksumLength
	return checksum(text[:body]) == text[body:]
}

// Hint returns what may be shown of s forever: everything up to its public id, and
// the last four characters, which are part of the checksum. For a secret that was
// not generated here it is "".
func (s Secret) Hint() string {
	if !s.Generated() {
		return ""
	}
	text := s.Reveal()
	public := strings.LastIndexByte(text, '_') + 1 + publicLength
	return text[:public] + "…" + text[len(text)-4:]
}

// String, GoString, Format, LogValue and the marshallers keep the text out of
// everything that is printed.
func (Secret) String() string { return redacted }

// GoString keeps the text out of %#v.
func (Secret) GoString() string { return redacted }

// Format keeps the text out of every verb.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// LogValue keeps the text out of logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the text out of JSON and other encodings.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// checksum returns the CRC-32 (IEEE) of text as six base-62 digits, most
// significant first.
func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	var digits [checksumLength]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = base62[sum%62]
		sum /= 62
	}
	return string(digits[:])
}

// Digest is what is kept of a secret: HMAC-SHA-256(pepper, SHA-256(secret)). It
// does not print either.
type Digest [32]byte

func (Digest) String() string { return redacted }

// GoString keeps the digest out of %#v.
func (Digest) GoString() string { return redacted }

// Format keeps the digest out of every verb.
func (Digest) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// LogValue keeps the digest out of logs.
func (Digest) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the digest out of JSON and other encodings.
func (Digest) MarshalText() ([]byte, error) { return []byte(redacted), nil }
