package rebilly_test

import (
	"strings"
	"testing"

	"keyward/internal/api/apitest"
	"keyward/internal/api/rebilly"
)

func TestTheContractHasTheRoutesOfTheTable(t *testing.T) {
	routes := rebilly.Routes()
	for i := range routes { // the vendor calls it id, as everything else
		routes[i].Pattern = strings.Replace(routes[i].Pattern, "{keyId}", "{id}", 1)
	}
	apitest.HoldsTable(t, rebilly.Contract(), "/rebilly", routes)
}
