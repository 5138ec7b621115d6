// Package keyring provides everything that is derived from the master key: the
// digests of secrets, envelope encryption, sealed answers and cursors, the audit
// chain and the key that signs access tokens.
//
// Each purpose has a key of its own, derived by HKDF-SHA-256 (RFC 5869) under a
// label with a version, so that none says anything about another. The package
// keeps no state and decides nothing: what is stored where, and who may read it,
// is its callers' affair. It is not for passwords, which want a slow hash.
package keyring

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// MasterKeySize is the length of a master key in bytes.
const MasterKeySize = 32

// keySize is the length of every derived key: AES-256, HMAC-SHA-256 and the seed
// of Ed25519 agree on it.
const keySize = 32

// The labels under which keys are derived. Changing one changes every digest and
// ciphertext of its kind: add a version instead.
const (
	masterLabel  = "keyward/master-id/v1"
	pepperLabel  = "keyward/pepper/v1"
	wrapLabel    = "keyward/wrap/v1"
	replayLabel  = "keyward/replay/v1"
	headerLabel  = "keyward/header/v1"
	auditLabel   = "keyward/audit/v1"
	cursorLabel  = "keyward/cursor/v1"
	tokenLabel   = "keyward/token/v1"
	blindLabel   = "keyward/blind/v1"
	publicSuffix = "/id"
)

// Keyring holds the keys derived from one master key, which it forgets. It never
// changes, so it is safe for concurrent use, and it prints as "[redacted]".
type Keyring struct {
	// A function, because package fmt asks no method of what sits in somebody's
	// unexported field, and follows pointers there; a function has only an address.
	keys func() *keys
}

type keys struct {
	id       string
	pepper   pepper
	pepperID string
	wrap     []byte // key-encryption key: encrypts the data keys of records
	wrapID   string
	replay   []byte // one half of what seals replayed answers; the header is the other
	header   []byte
	audit    []byte
	auditID  string
	cursor   []byte
	blind    []byte // hides what is looked up by, such as addresses
	token    ed25519.PrivateKey
}

// New derives a Keyring from a master key, which must be 32 random bytes. It keeps
// no reference to master.
func New(master []byte) (*Keyring, error) {
	if len(master) != MasterKeySize {
		return nil, fmt.Errorf("the master key has %d bytes: use %d random bytes, "+
			"such as `openssl rand -base64 %d` prints", len(master), MasterKeySize, MasterKeySize)
	}
	root, err := hkdf.Extract(sha256.New, master, nil)
	if err != nil {
		return nil, fmt.Errorf("derive from the master key: %w", err)
	}
	derived := &keys{
		id:       hex.EncodeToString(derive(root, masterLabel, 8)),
		pepper:   newPepper(derive(root, pepperLabel, keySize)),
		pepperID: publicID("p1", root, pepperLabel),
		wrap:     derive(root, wrapLabel, keySize),
		wrapID:   publicID("k1", root, wrapLabel),
		replay:   derive(root, replayLabel, keySize),
		header:   derive(root, headerLabel, keySize),
		audit:    derive(root, auditLabel, keySize),
		auditID:  publicID("a1", root, auditLabel),
		cursor:   derive(root, cursorLabel, keySize),
		blind:    derive(root, blindLabel, keySize),
		token:    ed25519.NewKeyFromSeed(derive(root, tokenLabel, keySize)),
	}
	return &Keyring{func() *keys { return derived }}, nil
}

// Parse reads a master key as base64, in the standard or the URL alphabet, with or
// without padding, and with white space around it. All zeros is a placeholder and
// refused. No error contains the text.
func Parse(text string) (*Keyring, error) {
	text = strings.TrimSuffix(strings.TrimSpace(text), "=")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	master, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || len(text) != base64.RawStdEncoding.EncodedLen(MasterKeySize) {
		return nil, fmt.Errorf("the master key is not %d bytes in base64: "+
			"make one with `openssl rand -base64 %d`", MasterKeySize, MasterKeySize)
	}
	defer clear(master)
	if [MasterKeySize]byte(master) == [MasterKeySize]byte{} {
		return nil, fmt.Errorf("the master key is a placeholder: "+
			"make a random one with `openssl rand -base64 %d`", MasterKeySize)
	}
	return New(master)
}

// Generate returns the text of a new random master key, as [Parse] reads it.
func Generate() string {
	var master [MasterKeySize]byte
	rand.Read(master[:])
	defer clear(master[:])
	return base64.StdEncoding.EncodeToString(master[:])
}

// ID names the master key in public: 16 hexadecimal digits. A database remembers
// it, so that a start with another master key can be refused.
func (k *Keyring) ID() string { return k.keys().id }

// PepperID names the key behind [Keyring.Digest], for the rows that hold digests.
func (k *Keyring) PepperID() string { return k.keys().pepperID }

// AuditKeyID names the key behind [Keyring.AuditMAC].
func (k *Keyring) AuditKeyID() string { return k.keys().auditID }

// TokenKey returns the key that signs access tokens; the same master key always
// gives the same one.
func (k *Keyring) TokenKey() ed25519.PrivateKey { return slices.Clone(k.keys().token) }

const redacted = "[redacted]"

// String, GoString, Format, LogValue and MarshalText keep the keys out of
// everything that is printed.
func (Keyring) String() string { return redacted }

// GoString keeps the keys out of %#v.
func (Keyring) GoString() string { return redacted }

// Format keeps the keys out of every verb.
func (Keyring) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// LogValue keeps the keys out of logs.
func (Keyring) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the keys out of JSON and other encodings.
func (Keyring) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// publicID names the key under label: its kind and eight hexadecimal digits that
// are derived beside the key, not from it.
func publicID(kind string, root []byte, label string) string {
	return kind + "-" + hex.EncodeToString(derive(root, label+publicSuffix, 4))
}

// derive expands key into size bytes for the purpose that info names.
func derive(key []byte, info string, size int) []byte {
	out, err := hkdf.Expand(sha256.New, key, info, size)
	if err != nil {
		panic(err) // only sizes over 255 hashes fail
	}
	return out
}
