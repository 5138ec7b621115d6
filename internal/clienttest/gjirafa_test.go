package clienttest_test

import (
	"fmt"
	"testing"
)

// The document that the server serves is all that the client knows.
func TestAGenericClientDrivesGjirafa(t *testing.T) {
	w := newWorld(t)
	other := w.organization(t, "other", false)
	foreign := w.project(t, other.ID, "Foreign")
	for name, recoverable := range map[string]bool{"keeps no secrets": false, "keeps secrets": true} {
		t.Run("in an organization that "+name, func(t *testing.T) {
			org := w.organization(t, name, recoverable)
			run(t, "gjirafa.mjs", settings{
				"DOCUMENT": w.document("gjirafa"), "URL": w.dialect(t, "gjirafa"),
				"SECRET": org.Secret, "ORGANIZATION": org.PublicID, "RECOVERABLE": fmt.Sprint(recoverable),
				"PROJECT": w.project(t, org.ID, "Sports"), "OTHER_PROJECT": w.project(t, org.ID, "News"),
				"FOREIGN_PROJECT": foreign,
			})
		})
	}
}
