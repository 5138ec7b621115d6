package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrSealed says that something sealed does not open: it was altered, belongs
// elsewhere, or was made under another key. It does not say which.
var ErrSealed = errors.New("the sealed value does not open")

// What a box is, so that one kind never opens as another.
const (
	dataKeyBox = "keyward/box/data-key/v1"
	recordBox  = "keyward/box/record/v1"
	replayBox  = "keyward/box/replay/v1"
	cursorBox  = "keyward/box/cursor/v1"
)

// Sealed is an encrypted record: the data key, encrypted under the key-encryption
// key that KeyID names, and the plaintext, encrypted under the data key. Both are
// AES-256-GCM: a 12-byte nonce, the ciphertext and a 16-byte tag. Another
// key-encryption key can take over by wrapping the data key anew.
type Sealed struct {
	KeyID      string
	Wrapped    []byte
	Ciphertext []byte
}

// Seal encrypts plaintext under a data key of its own. It opens again only with
// the same associated strings in the same order, such as the organization, key and
// version that the record belongs to. The random nonces of one key-encryption key
// serve for 2^32 records.
func (k *Keyring) Seal(plaintext []byte, associated ...string) (Sealed, error) {
	var key [keySize]byte
	rand.Read(key[:])
	defer clear(key[:])
	wrapped, err := seal(k.keys().wrap, key[:], bind(dataKeyBox, associated...))
	if err != nil {
		return Sealed{}, err
	}
	ciphertext, err := seal(key[:], plaintext, bind(recordBox, associated...))
	if err != nil {
		return Sealed{}, err
	}
	return Sealed{KeyID: k.keys().wrapID, Wrapped: wrapped, Ciphertext: ciphertext}, nil
}

// Open decrypts what [Keyring.Seal] made with the same associated strings, and
// otherwise fails with [ErrSealed].
func (k *Keyring) Open(sealed Sealed, associated ...string) ([]byte, error) {
	if sealed.KeyID != k.keys().wrapID {
		return nil, ErrSealed
	}
	key, err := open(k.keys().wrap, sealed.Wrapped, bind(dataKeyBox, associated...))
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return open(key, sealed.Ciphertext, bind(recordBox, associated...))
}

// SealWith encrypts plaintext under a key derived from the master key and token,
// a value that the caller presents and nobody stores: without it not even the
// holder of the master key opens the result. It is for answers that are replayed
// to whoever repeats an Idempotency-Key.
func (k *Keyring) SealWith(token string, plaintext []byte, associated ...string) []byte {
	return mustSeal(k.replayKey(token), plaintext, bind(replayBox, associated...))
}

// OpenWith decrypts what [Keyring.SealWith] made with the same token and
// associated strings, and otherwise fails with [ErrSealed].
func (k *Keyring) OpenWith(token string, sealed []byte, associated ...string) ([]byte, error) {
	return open(k.replayKey(token), sealed, bind(replayBox, associated...))
}

func (k *Keyring) replayKey(token string) []byte {
	salt := sha256.Sum256([]byte(token))
	key, err := hkdf.Key(sha256.New, k.keys().replay, salt[:], replayLabel, keySize)
	if err != nil {
		panic(err) // only sizes over 255 hashes fail
	}
	return key
}

// HeaderHash returns a keyed hash of a header's value, under which a record can be
// found without storing the value.
func (k *Keyring) HeaderHash(value string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, k.keys().header)
	mac.Write([]byte(value))
	return [sha256.Size]byte(mac.Sum(nil))
}

// Blind returns a keyed hash of value for one purpose: rows can be found by it, and
// say nothing of the value to whoever has only them.
func (k *Keyring) Blind(purpose, value string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, k.keys().blind)
	mac.Write(bind(purpose, value))
	return [sha256.Size]byte(mac.Sum(nil))
}

// AuditMAC returns the MAC that chains row, one audit event in its stored form, to
// the MAC of the event before it, which is empty for the first one. Compare MACs
// with hmac.Equal.
func (k *Keyring) AuditMAC(previous, row []byte) []byte {
	mac := hmac.New(sha256.New, k.keys().audit)
	mac.Write(appendPart(appendPart(nil, previous), row))
	return mac.Sum(nil)
}

// seal encrypts with AES-256-GCM and puts the random nonce before the ciphertext.
func seal(key, plaintext, associated []byte) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return aead.Seal(nil, nil, plaintext, associated), nil
}

// mustSeal is seal for keys that were derived, whose size cannot be wrong.
func mustSeal(key, plaintext, associated []byte) []byte {
	box, err := seal(key, plaintext, associated)
	if err != nil {
		panic(err)
	}
	return box
}

func open(key, box, associated []byte) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, ErrSealed
	}
	plaintext, err := aead.Open(nil, nil, box, associated)
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// bind writes the kind of a box and the associated strings as one text, each after
// its length: different lists never give the same bytes.
func bind(kind string, associated ...string) []byte {
	text := appendPart(nil, kind)
	for _, part := range associated {
		text = appendPart(text, part)
	}
	return text
}

func appendPart[T string | []byte](text []byte, part T) []byte {
	text = binary.BigEndian.AppendUint64(text, uint64(len(part)))
	return append(text, part...)
}
