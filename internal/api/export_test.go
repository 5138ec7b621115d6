package api

// ParseQuery is how the query of a strict surface is read.
func ParseQuery(raw string, known ...string) (Query, error) { return parsePairs(raw, known, false) }
