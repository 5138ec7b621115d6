package gateway

// What tests look at from the inside.
var (
	OutcomeOf = outcome
	Normal    = normal
	Original  = original
	Basic     = basic
)
