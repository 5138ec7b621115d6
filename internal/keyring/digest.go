package keyring

import (
	"crypto/sha256"
	"encoding"

	"keyward"
)

// pepper is an HMAC-SHA-256 key in the form that FIPS 198-1, section 6, allows to
// keep: the states of the two hashes once they have read their padded key. Each
// digest then costs half the work, needs no lock and does not allocate.
type pepper struct{ inner, outer []byte }

func newPepper(key []byte) pepper {
	return pepper{inner: padded(key, 0x36), outer: padded(key, 0x5c)}
}

// padded returns the state of SHA-256 after key, filled up to a block and xored
// with pad (RFC 2104).
func padded(key []byte, pad byte) []byte {
	var block [sha256.BlockSize]byte
	copy(block[:], key)
	for i := range block {
		block[i] ^= pad
	}
	hash := sha256.New()
	hash.Write(block[:])
	state, err := hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic(err) // the standard library's SHA-256 always has a state
	}
	return state
}

// resume returns the SHA-256 of what state has read, followed by rest.
func resume(state []byte, rest [sha256.Size]byte) (sum [sha256.Size]byte) {
	hash := sha256.New()
	if err := hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		panic(err) // padded made it
	}
	hash.Write(rest[:])
	hash.Sum(sum[:0])
	return sum
}

// Digest returns what is kept of secret: HMAC-SHA-256(pepper, SHA-256(secret)).
// It does not allocate.
func (k *Keyring) Digest(secret []byte) keyward.Digest {
	return k.DigestOf(sha256.Sum256(secret))
}

// DigestString is [Keyring.Digest] of a string. It does not allocate for texts of
// up to [keyward.MaxSecretLength] bytes.
func (k *Keyring) DigestString(secret string) keyward.Digest {
	var onStack [keyward.MaxSecretLength]byte // a conversion over 32 bytes would allocate
	return k.Digest(append(onStack[:0], secret...))
}

// DigestOf returns the digest of the secret whose SHA-256 is fingerprint, for
// secrets that are imported without being seen. It does not allocate.
func (k *Keyring) DigestOf(fingerprint [sha256.Size]byte) keyward.Digest {
	pepper := &k.keys().pepper
	return keyward.Digest(resume(pepper.outer, resume(pepper.inner, fingerprint)))
}
