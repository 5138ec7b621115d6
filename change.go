package keyward

import (
	"encoding/json"
	"net/netip"
)

// Action names what happened, as "thing.past-participle".
type Action string

// The actions.
const (
	OrganizationCreated Action = "organization.created"
	OrganizationUpdated Action = "organization.updated"
	OrganizationDeleted Action = "organization.deleted"
	ProjectCreated      Action = "project.created"
	ProjectUpdated      Action = "project.updated"
	ProjectDeleted      Action = "project.deleted"
	KeyCreated          Action = "key.created"
	KeyUpdated          Action = "key.updated"
	KeyRotated          Action = "key.rotated"
	KeyRevoked          Action = "key.revoked"
	KeyDeleted          Action = "key.deleted"
	KeyRevealed         Action = "key.revealed"
	RoleCreated         Action = "role.created"
	RoleUpdated         Action = "role.updated"
	RoleDeleted         Action = "role.deleted"
	OperatorCreated     Action = "operator.created"
	OperatorUpdated     Action = "operator.updated"
	OperatorRotated     Action = "operator.rotated"
	OperatorDeleted     Action = "operator.deleted"
	SessionCreated      Action = "session.created" // somebody signed in
	TokenRevoked        Action = "token.revoked"
)

// Target types of changes.
const (
	OrganizationTarget = "organization"
	ProjectTarget      = "project"
	KeyTarget          = "key"
	RoleTarget         = "role" // its id is its number
	OperatorTarget     = "operator"
	TokenTarget        = "token" // an access token, by its jti
)

// Change is one committed fact: the audit event that people read, and what
// replicas follow. Seq counts up by one with each, in the order of commits.
type Change struct {
	Seq            int64         `json:"seq"`
	ID             string        `json:"id"`
	Time           Time          `json:"time"`
	Action         Action        `json:"action"`
	Outcome        string        `json:"outcome"`
	Actor          ChangeActor   `json:"actor"`
	OrganizationID *string       `json:"organizationId"`
	Target         ChangeTarget  `json:"target"`
	IP             *string       `json:"ip"`
	RequestID      *string       `json:"requestId"`
	Changes        []FieldChange `json:"changes"`
	MAC            string        `json:"mac"` // chains the event to the one before, in hexadecimal
}

// Succeeded is the outcome of every change: what is refused changes nothing.
const Succeeded = "success"

// ChangeActor is who did it.
type ChangeActor struct {
	Type ActorType `json:"type"`
	ID   string    `json:"id"`
	Name string    `json:"name"`
}

// ChangeTarget is what it was done to.
type ChangeTarget struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// FieldChange is one member before and after. Secrets never appear in it.
type FieldChange struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// Propagation says how far a change has come: how many nodes answer verifications,
// how many have confirmed that they apply it, and which are still to do so.
type Propagation struct {
	Seq       int64    `json:"seq"`
	Nodes     int      `json:"nodes"`
	Confirmed int      `json:"confirmed"`
	Pending   []string `json:"pending"`
}

// Record is the current state of one thing as replicas keep it. Exactly one member
// is set.
type Record struct {
	Organization *OrganizationRecord
	Key          *KeyRecord
	Operator     *OperatorRecord
	Token        *TokenRecord
}

// OrganizationRecord is what replicas keep of an organization.
type OrganizationRecord struct {
	ID string
	Standing
}

// KeyRecord is what replicas keep of a key.
type KeyRecord struct {
	Subject
	Credentials []Credential
	RateLimits  []RateLimit
	Account     *Account // nil if uses of the key cost no credits
}

// Credential is one secret of a key, as far as it is kept.
type Credential struct {
	Version    int
	Digest     Digest
	ExpireTime Time
}

// OperatorRecord is what replicas keep of an operator.
type OperatorRecord struct {
	Operator
	Digest  Digest
	Deleted bool
}

// TokenRecord is what replicas keep of an access token that was revoked, until it would
// have expired anyway.
type TokenRecord struct {
	ID         string // its jti
	ExpireTime Time
}

// LogEntry is a change together with the state that replicas need because of it.
// The state may already be newer than the change, never older.
type LogEntry struct {
	Change  Change
	Records []Record
}

// Use says when a secret was last accepted: a version of a key, or, if OperatorID
// is set, an operator's. It is recorded in batches and is no change.
type Use struct {
	OrganizationID string
	KeyID          string
	Version        int
	OperatorID     string
	Time           Time
	IP             netip.Prefix // coarse address of the latest use: /24 of v4, /48 of v6; invalid if unknown
}
