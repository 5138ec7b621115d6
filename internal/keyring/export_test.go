package keyring

// KEKID names the key-encryption key behind [Keyring.Seal].
func (k *Keyring) KEKID() string { return k.keys().wrapID }
