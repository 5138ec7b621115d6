package filter_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"keyward/internal/filter"
)

func TestParseSort(t *testing.T) {
	for sentence, test := range map[string]struct {
		text string
		want filter.Sort
	}{
		"no text is no order":                  {``, nil},
		"ascending":                            {`name`, filter.Sort{{"name", "name", false}}},
		"descending":                           {`-name`, filter.Sort{{"name", "name", true}}},
		"the first is the most significant":    {`-created,name`, filter.Sort{{"created", "createdTime", true}, {"name", "name", false}}},
		"a surface's name leads to the column": {`owner.id`, filter.Sort{{"owner.id", "ownerId", false}}},
	} {
		t.Run(sentence, func(t *testing.T) {
			got, err := filter.ParseSort(test.text, schema)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Fatalf("ParseSort(%q) = %+v, %v, want %+v", test.text, got, err, test.want)
			}
			if got.String() != test.text {
				t.Errorf("canonical text of %q is %q", test.text, got.String())
			}
		})
	}
}

func TestParseSortRefuses(t *testing.T) {
	for sentence, test := range map[string]struct{ text, want string }{
		"an unknown field":           {`nme`, `unknown field "nme"; the fields are: name, owner.id, type, number, created, expires`},
		"a field that is not sorted": {`enabled`, `unknown field "enabled"`},
		"a field in another case":    {`NAME`, `unknown field "NAME"`},
		"no field":                   {`-`, `unknown field ""`},
		"two minus signs":            {`--name`, `unknown field "-name"`},
		"a plus sign":                {`+name`, `unknown field "+name"`},
		"a space":                    {`name, number`, `unknown field " number"`},
		"a comma at the end":         {`name,`, `unknown field ""`},
		"SQL":                        {`name;drop table keys`, `unknown field "name;drop table keys"`},
		"a field twice":              {`name,number,name`, `sorts by name more than once`},
		"a field in both directions": {`name,-name`, `sorts by name more than once`},
		"NUL":                        {"name\x00", `contains a control character`},
		"bytes that are not UTF-8":   {"\xff", `is not valid UTF-8`},
		"a text beyond the limit":    {strings.Repeat("a", filter.MaxLength+1), `is longer than 8192 bytes`},
	} {
		t.Run(sentence, func(t *testing.T) {
			got, err := filter.ParseSort(test.text, schema)
			if got != nil {
				t.Errorf("ParseSort(%q) = %+v beside its error", test.text, got)
			}
			checkFault(t, err, "/sort", test.want)
		})
	}
}

func TestParseSortLimitsFields(t *testing.T) {
	var wide filter.Schema
	var names []string
	for i := range filter.MaxOrders + 1 {
		names = append(names, fmt.Sprintf("field%d", i))
		wide = append(wide, filter.Field{Name: names[i], Sortable: true})
	}
	if got, err := filter.ParseSort(strings.Join(names[:filter.MaxOrders], ","), wide); err != nil || len(got) != filter.MaxOrders {
		t.Errorf("a sort by %d fields gives %d, %v", filter.MaxOrders, len(got), err)
	}
	_, err := filter.ParseSort(strings.Join(names, ","), wide)
	checkFault(t, err, "/sort", "has more than 10 fields")
}

func TestTwoNamesOfOneColumnAreOneField(t *testing.T) {
	aliases := filter.Schema{{Name: "a", Column: "c", Sortable: true}, {Name: "b", Column: "c", Sortable: true}}
	_, err := filter.ParseSort("a,-b", aliases)
	checkFault(t, err, "/sort", "sorts by b more than once")
}
