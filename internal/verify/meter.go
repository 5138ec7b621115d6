package verify

import "keyward"

// meter is what counts the uses of a key. It stays the same through all changes of
// the key.
type meter struct{}

// meterFor returns the meter of a key after a change, nil if nothing of it is counted.
func meterFor(*meter, *keyward.KeyRecord) *meter { return nil }
