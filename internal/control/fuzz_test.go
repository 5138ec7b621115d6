package control

import "testing"

// Whatever was stored, what is taken for a hash is one that can be computed, and is
// written as it was read.
func FuzzPHC(f *testing.F) {
	const kept = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	for _, text := range []string{
		kept, kept + "$", kept[:len(kept)-1], "$argon2id$v=19$m=19456,t=2,p=1$$", "$argon2id$v=19$m=1,t=0,p=0$AA$AA", "$argon2i$v=19$m=1,t=1,p=1$AA$AA",
		"$argon2id$v=19$m=4294967296,t=1,p=1$AA$AA", "$argon2id$v=19$m=1,t=1,p=256$AA$AA", "$argon2id$v=-1$m=+1,t=1,p=1$AA$AA", "", "$", "$$$$$", "x$y$z",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parsePHC(text)
		if err != nil {
			return
		}
		if h.time < 1 || h.threads < 1 || len(h.hash) == 0 {
			t.Errorf("parsePHC(%q) = %+v, which panics when it is computed", text, h)
		}
		again, err := parsePHC(h.String())
		if err != nil || again.String() != h.String() {
			t.Errorf("parsePHC(%q) is written %q: %v", text, h, err)
		}
	})
}
