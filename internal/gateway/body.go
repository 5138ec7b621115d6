package gateway

import "encoding/json"

// ProblemType is the media type of what is said with a refusal (RFC 9457).
const ProblemType = problemType

// Body returns what is said with a refusal, as JSON. It can be shown to the client.
func (o *Outcome) Body(requestID string) []byte {
	text, err := json.Marshal(o.problem(requestID))
	if err != nil {
		panic(err) // it holds texts and a number
	}
	return text
}
