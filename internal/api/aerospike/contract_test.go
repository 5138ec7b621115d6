package aerospike_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"keyward/internal/api/aerospike"
	"keyward/internal/api/apitest"
	"keyward/keywardtest"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

func TestTheContractHasTheRoutesOfTheTable(t *testing.T) {
	apitest.HoldsTable(t, aerospike.Contract(), "/aerospike", aerospike.Routes())
}

// Generic clients call operations by their ids.
func TestTheContractNamesOperationsAsTheVendorDoes(t *testing.T) {
	named := named(t)
	for _, theirs := range apitest.Vendor(t, "aerospike").Operations() {
		if named[theirs.OperationID] == nil {
			t.Errorf("the vendor's operation %s is missing", theirs.OperationID)
		}
	}
}

// named returns our operations by their ids.
func named(t *testing.T) map[string]*openapi3.Operation {
	t.Helper()
	named := map[string]*openapi3.Operation{}
	for _, operation := range apitest.Load(t, aerospike.Contract()).Operations() {
		named[operation.OperationID] = operation
	}
	return named
}

// What the vendor's clients may be answered by its own document, they may by ours.
func TestTheContractHasTheVendorsScopesAndAnswers(t *testing.T) {
	ours := named(t)
	for _, theirs := range apitest.Vendor(t, "aerospike").Operations() {
		own := ours[theirs.OperationID]
		if own == nil {
			continue // another test says so
		}
		if theirs.OperationID != "getToken" && !reflect.DeepEqual(own.Security, theirs.Security) {
			t.Errorf("%s: security is %v, the vendor's %v", own.OperationID, own.Security, theirs.Security)
		}
		for status := range theirs.Responses.Map() {
			if own.Responses.Value(status) == nil && status != "501" { // what is implemented is
				t.Errorf("%s: the contract lacks the vendor's answer %s", own.OperationID, status)
			}
		}
	}
}

func TestTheContractIsTheSameInYAML(t *testing.T) {
	w := newWorld(t, keywardtest.Options{})
	got := w.send("GET", "/aerospike/v1/openapi.yaml", "")
	var written, want any
	if err := yaml.Unmarshal([]byte(got.Body), &written); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(aerospike.Contract(), &want); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	var have any
	if err := json.Unmarshal(again, &have); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(have, want) {
		t.Error("the YAML is not the document")
	}
	apitest.Load(t, []byte(got.Body))
	if strings.Contains(got.Body, `{"`) || !strings.HasPrefix(got.Body, "openapi: 3.0.3\ninfo:\n  title:") {
		t.Errorf("the YAML is not as people write it: %.200s", got.Body)
	}
}
