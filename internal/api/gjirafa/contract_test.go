package gjirafa_test

import (
	"testing"

	"keyward/internal/api/apitest"
	"keyward/internal/api/gjirafa"
)

func TestTheContractHasTheRoutesOfTheTable(t *testing.T) {
	apitest.HoldsTable(t, gjirafa.Contract(), "/gjirafa", gjirafa.Routes())
}

func TestTheContractCallsOperationsAsTheVendorsDoes(t *testing.T) {
	ours, vendors := apitest.Load(t, gjirafa.Contract()).Document, apitest.Vendor(t, "gjirafa").Document
	for path, item := range vendors.Paths.Map() {
		for method, operation := range item.Operations() {
			here := ours.Paths.Value(path)
			if here == nil || here.GetOperation(method) == nil || here.GetOperation(method).OperationID != operation.OperationID {
				t.Errorf("%s %s is not called %s", method, path, operation.OperationID)
			}
		}
	}
}
