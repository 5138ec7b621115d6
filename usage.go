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

// UsageSum is how many answers were given in one step of an interval: about one key, if
// they are told apart by it, and for one reason, if they are told apart by that.
type UsageSum struct {
	Time   Time   `json:"time"` // when the step begins
	KeyID  string `json:"keyId,omitempty"`
	Reason Reason `json:"reason,omitzero"`
	Count  int64  `json:"count"`
}
