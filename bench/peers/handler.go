package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// store finds the answer for the SHA-256 of a secret, nil if nobody has it.
type store interface {
	find(ctx context.Context, digest [sha256.Size]byte) ([]byte, error)
}

// handler answers questions in the form of Keyward's, by one look-up each.
type handler struct{ store store }

// maxBody bounds what is read of a question.
const maxBody = 64 << 10

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	var question struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(body, &question); err != nil || question.Key == "" {
		http.Error(w, "the body must be an object with a key", http.StatusBadRequest)
		return
	}
	answer, err := h.store.find(r.Context(), sha256.Sum256([]byte(question.Key)))
	if err != nil {
		http.Error(w, "the store is away", http.StatusServiceUnavailable)
		return
	}
	if answer == nil {
		answer = []byte(`{"valid":false,"code":"not_found"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // whoever is gone does not read it
}

// answerFor returns what Keyward would answer about a key with a number, so that answers
// have the same size.
func answerFor(number int) string {
	return fmt.Sprintf(`{"valid":true,"code":"valid","keyId":"key_%026d","version":1,"organizationId":"org_%026d",`+
		`"projectIds":[],"ownerId":"user_%d","name":"key %d","type":"secret","environment":"live",`+
		`"metadata":{"plan":"pro","seat":%d},"expireTime":null,"credits":null,"rateLimits":[]}`, number, 1, number, number, number)
}
