package filter_test

import (
	"reflect"
	"testing"

	"keyward"
	"keyward/internal/filter"
)

// FuzzParse reads any text as a filter and as a sort. What is accepted has a
// canonical text that is read back as the same; what is refused is Invalid.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		``, `name:Test`, `name:a,b;type:secret`, `name:!a,!b`, `name:!a,b`, `name:a,!b`, `name:"a;b,c"`,
		`name:a\,b\;c\:d\\e\"f\!g\.h\@i`, `owner:null,"null"`, `owner:!NULL`, `number:1..5,-3..,..9`,
		`number:-9223372036854775808..9223372036854775807`, `created:2026-01-01..2026-02-01T12:00:00.5+02:00`,
		`created:2026-01-01T00:00:00Z..`, `enabled:true`, `project:prj_A,prj_B`, `name:@vips`, `name:ſKİı`,
		`name:"`, `name:\`, `number:....`, `;;;`, `:::`, `,,,`, "name:\x00", "name:\xff", `-created,name`, `-name,-name`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fuzzFilter(t, text)
		fuzzSort(t, text)
	})
}

func fuzzFilter(t *testing.T, text string) {
	first, err := filter.Parse(text, schema)
	if err != nil {
		if keyward.CodeOf(err) != keyward.Invalid || len(keyward.FieldsOf(err)) != 1 {
			t.Fatalf("Parse(%q): %v, want one fault", text, err)
		}
		return
	}
	canonical := first.String()
	if len(canonical) > filter.MaxLength {
		return
	}
	second, err := filter.Parse(canonical, schema)
	if err != nil || !reflect.DeepEqual(first, second) {
		t.Fatalf("Parse(%q) = %+v, but of its canonical text %q it is %+v, %v", text, first, canonical, second, err)
	}
	if second.String() != canonical {
		t.Fatalf("canonical text %q becomes %q", canonical, second.String())
	}
}

func fuzzSort(t *testing.T, text string) {
	sort, err := filter.ParseSort(text, schema)
	if err != nil {
		if keyward.CodeOf(err) != keyward.Invalid || len(keyward.FieldsOf(err)) != 1 {
			t.Fatalf("ParseSort(%q): %v, want one fault", text, err)
		}
		return
	}
	if sort.String() != text {
		t.Fatalf("ParseSort(%q) has the canonical text %q", text, sort.String())
	}
}
