package bench

import (
	"hash/crc32"
	"math/rand/v2"
)

// crowd is a number of keys whose secrets follow from a seed and the key's number, so
// that ten million of them can be presented without being kept.
type crowd struct {
	Seed uint64 `json:"seed"`
	Size int    `json:"size"`
}

// The alphabet and the lengths of a generated secret, and what the crowd's begin with.
const (
	base62       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	secretStart  = "kw_live_"
	randomDigits = 44
	sumDigits    = 6
)

// secret returns the secret of the key with a number from 1 to the size, in the form of
// generated secrets, checksum included. It is no secret: whoever knows the seed has it.
func (c crowd) secret(number int) string {
	random := rand.NewPCG(c.Seed, uint64(number))
	text := make([]byte, 0, len(secretStart)+randomDigits+sumDigits)
	text = append(text, secretStart...)
	for range randomDigits {
		text = append(text, base62[random.Uint64()%62])
	}
	sum := crc32.ChecksumIEEE(text)
	end := text[len(text) : len(text)+sumDigits]
	for i := sumDigits - 1; i >= 0; i-- {
		end[i] = base62[sum%62]
		sum /= 62
	}
	return string(text[:len(text)+sumDigits])
}

// sample returns secrets of n keys, picked at random.
func (c crowd) sample(n int) []string {
	secrets := make([]string, n)
	for i := range secrets {
		secrets[i] = c.secret(1 + rand.IntN(c.Size))
	}
	return secrets
}

// strangers returns secrets that nobody has: half in the form of generated ones, a
// quarter with a wrong checksum, a quarter of no form at all.
func (c crowd) strangers(n int) []string {
	secrets := make([]string, n)
	for i := range secrets {
		text := crowd{Seed: ^c.Seed}.secret(i)
		switch i % 4 {
		case 2:
			text = text[:len(text)-1] + "!"
		case 3:
			text = text[:3] + text[len(text)-randomDigits/2:]
		}
		secrets[i] = text
	}
	return secrets
}
