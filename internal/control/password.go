package control

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"keyward"
)

// NewPassword is what a change does with an operator's password. The zero value leaves
// it as it is.
type NewPassword struct {
	Set    bool            // whether the change is about the password at all
	Secret *keyward.Secret // nil takes the password away
}

// The bounds of passwords, in characters (NIST SP 800-63B: length is what counts).
const (
	minPassword = 12
	maxPassword = 256
)

// validate refuses what is no password. The error says nothing of it.
func (n NewPassword) validate() error {
	if n.Secret == nil {
		return nil
	}
	text := n.Secret.Reveal()
	why := ""
	switch length := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		why = "is not UTF-8"
	case length < minPassword || length > maxPassword:
		why = fmt.Sprintf("must have %d to %d characters", minPassword, maxPassword)
	case strings.ContainsFunc(text, unicode.IsControl):
		why = "contains a control character"
	default:
		return nil
	}
	return keyward.Faults{{Pointer: "/password", Detail: why}}.Err()
}

// hashed returns what is kept of a new password, "" if there is none. It takes long: it
// is for before a transaction, and for those who may set the password.
func (p *Plane) hashed(ctx context.Context, password NewPassword) (string, error) {
	if err := password.validate(); err != nil || password.Secret == nil {
		return "", err
	}
	return p.passwords.hash(ctx, *password.Secret)
}

// passwordChange adds to changes that a password was set or taken away: all that is
// ever said of one is whether it was there.
func passwordChange(changes []keyward.FieldChange, was, is bool) []keyward.FieldChange {
	if !was && !is {
		return changes
	}
	word := map[bool]json.RawMessage{false: json.RawMessage("null"), true: json.RawMessage(`"set"`)}
	return append(changes, keyward.FieldChange{Field: "password", Before: word[was], After: word[is]})
}

// What a password costs whoever guesses: argon2id (RFC 9106) with the least that OWASP
// recommends. What is kept says which parameters it was made with.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	saltSize     = 16
	hashSize     = 32
)

// How many may wait for a core to hash on, and how long.
const (
	maxHashing  = 64
	hashingWait = 2 * time.Second
)

// passwords makes and compares hashes of passwords: one at a time for each core, so
// that those who guess take neither all the memory nor all the time. Few may wait for
// their turn; the others are told to come again.
type passwords struct {
	turns    chan struct{} // holds who is hashing
	waiting  atomic.Int64
	computed atomic.Int64 // how many hashes there were
	nobody   string       // looks like a hash, and is none of any password
}

func newPasswords() *passwords {
	var hash [hashSize]byte
	rand.Read(hash[:])
	return &passwords{
		turns:  make(chan struct{}, runtime.GOMAXPROCS(0)),
		nobody: phc{argonMemory, argonTime, argonThreads, newSalt(), hash[:]}.String(),
	}
}

func newSalt() []byte {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	return salt
}

// hash returns what is kept of a password. It is Unavailable if too many are waiting.
func (p *passwords) hash(ctx context.Context, password keyward.Secret) (string, error) {
	kept := phc{argonMemory, argonTime, argonThreads, newSalt(), make([]byte, hashSize)}
	var err error
	kept.hash, err = p.compute(ctx, kept, password)
	return kept.String(), err
}

// matches reports whether a password is the one that kept was made of. Whatever kept
// is, it takes the same work; "" is that of nobody.
func (p *passwords) matches(ctx context.Context, kept string, password keyward.Secret) (bool, error) {
	if kept == "" {
		kept = p.nobody
	}
	want, err := parsePHC(kept)
	if err != nil {
		return false, keyward.Errorf(keyward.Internal, "a stored password: %w", err)
	}
	got, err := p.compute(ctx, want, password)
	return err == nil && subtle.ConstantTimeCompare(got, want.hash) == 1, err
}

func (p *passwords) compute(ctx context.Context, with phc, password keyward.Secret) ([]byte, error) {
	if err := p.enter(ctx); err != nil {
		return nil, err
	}
	defer func() { <-p.turns }()
	p.computed.Add(1)
	return argon2.IDKey([]byte(password.Reveal()), with.salt, with.time, with.memory, with.threads, uint32(len(with.hash))), nil
}

// enter waits for a turn.
func (p *passwords) enter(ctx context.Context) error {
	select {
	case p.turns <- struct{}{}:
		return nil
	default:
	}
	busy := keyward.Errorf(keyward.Unavailable, "too many passwords are being checked")
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > maxHashing {
		return busy
	}
	deadline := time.NewTimer(hashingWait)
	defer deadline.Stop()
	select {
	case p.turns <- struct{}{}:
		return nil
	case <-deadline.C:
		return busy
	case <-ctx.Done():
		return keyward.Errorf(keyward.Unavailable, "the caller has gone: %w", ctx.Err())
	}
}

// phc is a hash of argon2id with what it was made with.
type phc struct {
	memory, time uint32
	threads      uint8
	salt, hash   []byte
}

// phcText is the form of the string that the Password Hashing Competition agreed on.
const phcText = "$argon2id$v=%d$m=%d,t=%d,p=%d$"

func (h phc) String() string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf(phcText, argon2.Version, h.memory, h.time, h.threads) + encode(h.salt) + "$" + encode(h.hash)
}

// parsePHC reads what String writes. No error holds any of it.
func parsePHC(text string) (phc, error) {
	var h phc
	var version int
	wrong := fmt.Errorf("is no hash of argon2id in the PHC string format")
	last := strings.LastIndexByte(text, '$')
	if last < 0 {
		return h, wrong
	}
	rest := strings.LastIndexByte(text[:last], '$') + 1
	if _, err := fmt.Sscanf(text[:rest], phcText, &version, &h.memory, &h.time, &h.threads); err != nil {
		return h, wrong
	}
	var errs [2]error
	h.salt, errs[0] = base64.RawStdEncoding.DecodeString(text[rest:last])
	h.hash, errs[1] = base64.RawStdEncoding.DecodeString(text[last+1:])
	if errs != [2]error{} || version != argon2.Version || h.time < 1 || h.threads < 1 || len(h.hash) == 0 {
		return h, wrong
	}
	return h, nil
}
