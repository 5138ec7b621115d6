package verify

import (
	"encoding/binary"
	"encoding/json"
	"unsafe"

	"keyward"
)

// record is a key in bytes: a header, its credentials from the newest to the oldest, and
// its texts. It is immutable, complete, and the same wherever it stands: what it refers
// to it names by numbers of the replica.
//
// All integers are little-endian.
type record []byte

// Where the members of the header are.
const (
	atSize         = 0  // uint32: bytes of the whole record, a multiple of align
	atOrganization = 4  // uint32
	atPolicy       = 8  // uint32
	atCredentials  = 12 // uint32: how many
	atStart        = 16 // int64, as the two that follow
	atExpire       = 24
	atRevoked      = 32
	atFlags        = 40 // uint32
	atEnds         = 44 // five of uint32: where the texts end
	headerSize     = 64

	digestSize     = len(keyward.Digest{})
	credentialSize = digestSize + 16 // the end (int64), the cell (uint32) and the number (int32)
)

// The texts in their order.
const (
	keyIDText = iota
	clientIDText
	nameText
	ownerIDText
	metadataText
	textCount
)

// The flags: a bit, and two numbers of what is in types and environments.
const (
	enabledFlag      = 1
	typeShift        = 1
	environmentShift = 3
	flagMask         = 3
)

var (
	types        = [flagMask + 1]keyward.KeyType{"", keyward.SecretKey, keyward.Publishable}
	environments = [flagMask + 1]keyward.Environment{"", keyward.Live, keyward.Test, keyward.Sandbox}
)

// indexOf returns which of the values there are one is, and 0, which stands for none, for
// any other.
func indexOf[T comparable](values *[flagMask + 1]T, value T) uint32 {
	for i, v := range values {
		if v == value {
			return uint32(i)
		}
	}
	return 0
}

// credential is one secret of a key without its digest.
type credential struct {
	end    keyward.Time
	cell   uint32 // where its uses are noted
	number int32  // of the version
}

// recordSize returns how many bytes the record of a key takes.
func recordSize(k *keyward.KeyRecord) int {
	size := headerSize + len(k.Credentials)*credentialSize +
		len(k.KeyID) + len(k.ClientID) + len(k.Name) + len(k.OwnerID) + len(k.Metadata)
	return (size + align - 1) &^ (align - 1)
}

// encode writes a key into r, which has recordSize bytes. cells are those of its
// credentials, in their order.
func (r record) encode(k *keyward.KeyRecord, organization, policy uint32, cells []uint32) {
	flags := indexOf(&types, k.Type)<<typeShift | indexOf(&environments, k.Environment)<<environmentShift
	if k.Enabled {
		flags |= enabledFlag
	}
	r.put32(atSize, uint32(len(r)))
	r.put32(atOrganization, organization)
	r.put32(atPolicy, policy)
	r.put32(atCredentials, uint32(len(k.Credentials)))
	r.putTime(atStart, k.StartTime)
	r.putTime(atExpire, k.ExpireTime)
	r.putTime(atRevoked, k.RevokedTime)
	r.put32(atFlags, flags)
	for i := range k.Credentials {
		c, at := &k.Credentials[i], headerSize+(len(k.Credentials)-1-i)*credentialSize
		copy(r[at:], c.Digest[:])
		r.putTime(at+digestSize, c.ExpireTime)
		r.put32(at+digestSize+8, cells[i])
		r.put32(at+digestSize+12, uint32(c.Version))
	}
	end := headerSize + len(k.Credentials)*credentialSize
	for i, text := range [textCount]string{k.KeyID, k.ClientID, k.Name, k.OwnerID, view(k.Metadata)} {
		end += copy(r[end:], text)
		r.put32(atEnds+4*i, uint32(end))
	}
}

// subject writes what verification knows of the key into s. Its texts are the record's
// own bytes, which they keep in memory, the whole chunk of them.
func (r record) subject(s *keyward.Subject, o *organization, p *policy) {
	flags := r.get32(atFlags)
	metadata := r.text(metadataText)
	*s = keyward.Subject{
		OrganizationID: o.id,
		KeyID:          r.keyID(),
		ClientID:       r.clientID(),
		Name:           view(r.text(nameText)),
		OwnerID:        view(r.text(ownerIDText)),
		ProjectIDs:     p.ProjectIDs,
		Type:           types[flags>>typeShift&flagMask],
		Environment:    environments[flags>>environmentShift&flagMask],
		ACL:            p.ACL,
		Management:     p.Management,
		AllowedIPs:     p.AllowedIPs,
		Metadata:       json.RawMessage(metadata[:len(metadata):len(metadata)]),
		Enabled:        flags&enabledFlag != 0,
		StartTime:      r.time(atStart),
		ExpireTime:     r.time(atExpire),
		RevokedTime:    r.time(atRevoked),
	}
}

func (r record) size() int        { return int(r.get32(atSize)) }
func (r record) keyID() string    { return view(r.text(keyIDText)) }
func (r record) clientID() string { return view(r.text(clientIDText)) }

// text returns one of the texts.
func (r record) text(i int) []byte {
	start := headerSize + r.credentials()*credentialSize
	if i > 0 {
		start = int(r.get32(atEnds + 4*(i-1)))
	}
	return r[start:r.get32(atEnds+4*i)]
}

// credentials returns how many there are.
func (r record) credentials() int { return int(r.get32(atCredentials)) }

func (r record) credential(i int) credential {
	at := headerSize + i*credentialSize + digestSize
	return credential{end: r.time(at), cell: r.get32(at + 8), number: int32(r.get32(at + 12))}
}

// digest returns that of a credential, which is not to be changed.
func (r record) digest(i int) *keyward.Digest {
	at := headerSize + i*credentialSize
	return (*keyward.Digest)(r[at : at+digestSize])
}

// held returns which credential has the digest, or -1.
func (r record) held(digest *keyward.Digest) int {
	for i := range r.credentials() {
		if same(r.digest(i), digest) {
			return i
		}
	}
	return -1
}

// numbered returns which credential has the number, or -1.
func (r record) numbered(number int) int {
	for i := range r.credentials() {
		if int(r.credential(i).number) == number {
			return i
		}
	}
	return -1
}

func (r record) get32(at int) uint32            { return binary.LittleEndian.Uint32(r[at:]) }
func (r record) put32(at int, value uint32)     { binary.LittleEndian.PutUint32(r[at:], value) }
func (r record) time(at int) keyward.Time       { return keyward.Time(binary.LittleEndian.Uint64(r[at:])) }
func (r record) putTime(at int, t keyward.Time) { binary.LittleEndian.PutUint64(r[at:], uint64(t)) }

// view returns bytes that never change as a string, without a copy.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
