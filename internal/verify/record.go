package verify

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"unsafe"

	"keyward"
)

// record is a key in bytes: a header; its dates, if it has one; its credentials from the
// newest to the oldest; their ends, if one of them has an end; and its texts. It is
// immutable, complete, and the same wherever it stands: what it refers to it names by
// numbers of the replica.
//
// All integers are little-endian, of 32 bits, and dates of 64.
type record []byte

// Where the members of the header are.
const (
	atSize         = 0 // bytes of the whole record, a multiple of align
	atOrganization = 4
	atPolicy       = 8
	atCredentials  = 12 // how many
	atFlags        = 16
	atEnds         = 20 // where the texts end
	headerSize     = atEnds + 4*textCount
)

// What follows the header.
const (
	dateSize       = 8
	datesSize      = 3 * dateSize // the start, the expiry and the revocation
	digestSize     = len(keyward.Digest{})
	credentialSize = digestSize + 8 // and the cell and the number
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

// The flags: bits, and two numbers of what is in types and environments.
const (
	enabledFlag      = 1
	datedFlag        = 2
	endingFlag       = 4
	typeShift        = 3
	environmentShift = 5
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
	end    keyward.Time // 0 for none
	cell   uint32       // where its uses are noted
	number int32        // of the version
}

// shape returns how many bytes the record of a key takes, and its flags.
func shape(k *keyward.KeyRecord) (size int, flags uint32) {
	flags = indexOf(&types, k.Type)<<typeShift | indexOf(&environments, k.Environment)<<environmentShift
	size = headerSize + len(k.Credentials)*credentialSize +
		len(k.KeyID) + len(k.ClientID) + len(k.Name) + len(k.OwnerID) + len(k.Metadata)
	if k.Enabled {
		flags |= enabledFlag
	}
	if k.StartTime != 0 || k.ExpireTime != 0 || k.RevokedTime != 0 {
		flags |= datedFlag
		size += datesSize
	}
	if slices.ContainsFunc(k.Credentials, func(c keyward.Credential) bool { return c.ExpireTime != 0 }) {
		flags |= endingFlag
		size += len(k.Credentials) * dateSize
	}
	return (size + align - 1) &^ (align - 1), flags
}

// encode writes a key with the flags into r, which has the size that goes with them. cells
// are those of its credentials, in their order.
func (r record) encode(k *keyward.KeyRecord, flags, organization, policy uint32, cells []uint32) {
	r.put32(atSize, uint32(len(r)))
	r.put32(atOrganization, organization)
	r.put32(atPolicy, policy)
	r.put32(atCredentials, uint32(len(k.Credentials)))
	r.put32(atFlags, flags)
	if flags&datedFlag != 0 {
		r.putDate(headerSize, k.StartTime)
		r.putDate(headerSize+dateSize, k.ExpireTime)
		r.putDate(headerSize+2*dateSize, k.RevokedTime)
	}
	for i := range k.Credentials {
		c, place := &k.Credentials[i], len(k.Credentials)-1-i
		at := r.credentialAt(place)
		copy(r[at:], c.Digest[:])
		r.put32(at+digestSize, cells[i])
		r.put32(at+digestSize+4, uint32(c.Version))
		if flags&endingFlag != 0 {
			r.putDate(r.endAt(place), c.ExpireTime)
		}
	}
	end := r.textsAt()
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
	}
	if flags&datedFlag != 0 {
		s.StartTime, s.ExpireTime, s.RevokedTime = r.date(headerSize), r.date(headerSize+dateSize), r.date(headerSize+2*dateSize)
	}
}

func (r record) size() int        { return int(r.get32(atSize)) }
func (r record) keyID() string    { return view(r.text(keyIDText)) }
func (r record) clientID() string { return view(r.text(clientIDText)) }

// text returns one of the texts.
func (r record) text(i int) []byte {
	end := r.get32(atEnds + 4*i)
	if i == 0 {
		return r[r.textsAt():end]
	}
	return r[r.get32(atEnds+4*(i-1)):end]
}

// credentials returns how many there are.
func (r record) credentials() int { return int(r.get32(atCredentials)) }

// credentialAt returns where a credential is.
func (r record) credentialAt(i int) int {
	at := headerSize + i*credentialSize
	if r.get32(atFlags)&datedFlag != 0 {
		at += datesSize
	}
	return at
}

// endAt returns where the end of a credential is, if there are any.
func (r record) endAt(i int) int { return r.credentialAt(r.credentials()) + i*dateSize }

// textsAt returns where the texts begin.
func (r record) textsAt() int {
	if n := r.credentials(); r.get32(atFlags)&endingFlag != 0 {
		return r.endAt(n)
	}
	return r.endAt(0)
}

func (r record) credential(i int) credential {
	at := r.credentialAt(i) + digestSize
	c := credential{cell: r.get32(at), number: int32(r.get32(at + 4))}
	if r.get32(atFlags)&endingFlag != 0 {
		c.end = r.date(r.endAt(i))
	}
	return c
}

// digest returns that of a credential, which is not to be changed.
func (r record) digest(i int) *keyward.Digest {
	at := r.credentialAt(i)
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
func (r record) date(at int) keyward.Time       { return keyward.Time(binary.LittleEndian.Uint64(r[at:])) }
func (r record) putDate(at int, t keyward.Time) { binary.LittleEndian.PutUint64(r[at:], uint64(t)) }

// view returns bytes that never change as a string, without a copy.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
