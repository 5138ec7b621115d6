// Package keyward is the vocabulary and the rule book of Keyward, an API key
// server: what an [Organization], a [Key], a [Grant] and an [Actor] are, which of
// them are well formed, and what the answer to a verification is.
//
// A [Key] belongs to an organization and carries two kinds of grants. Its ACL says
// what it may do in the organization's own API: opaque words that [Allows] matches.
// Its Management says what it may do in Keyward's API, in its own organization, and
// is empty unless somebody wrote it. An [Operator] administers Keyward and is never
// a key.
//
// A caller presents a [Secret]; what is kept is its [Digest]. [Decide] answers a
// [Request] about it with a [Reason]. Whatever is changed leaves a [Change], which
// is both the audit event and what other nodes follow.
//
// The package imports the standard library only, does no I/O but taking random
// bits, starts no goroutine and reads no clock: instants are arguments. It and the
// client package are what other programs may import and rely on.
package keyward
