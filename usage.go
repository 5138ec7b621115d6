package keyward

// Usage counts the answers of one reason about one key within one hour. Counts of the
// same key, reason and hour add up. Unknown is never counted: there is no key then.
type Usage struct {
	OrganizationID string
	KeyID          string
	Hour           Time // the start of the hour, UTC
	Reason         Reason
	Count          int64
}
