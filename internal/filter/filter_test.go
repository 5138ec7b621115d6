package filter_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"keyward"
	"keyward/internal/filter"
)

// schema has a field of every kind; its names are what one surface calls them.
var schema = filter.Schema{
	{Name: "name", Sortable: true},
	{Name: "owner", Column: "ownerId", Nullable: true},
	{Name: "owner.id", Column: "ownerId", Nullable: true, Sortable: true},
	{Name: "type", Kind: filter.Enum, Values: []string{"secret", "publishable"}, Sortable: true},
	{Name: "number", Kind: filter.Number, Sortable: true},
	{Name: "created", Column: "createdTime", Kind: filter.Instant, Sortable: true},
	{Name: "expires", Column: "expireTime", Kind: filter.Instant, Nullable: true, Sortable: true},
	{Name: "enabled", Kind: filter.Bool},
	{Name: "project", Column: "projectIds", Kind: filter.List, Nullable: true},
}

const (
	lowest  = math.MinInt64
	highest = math.MaxInt64
	newYear = 1767225600000 // 2026-01-01T00:00:00Z
	day     = 86400000
)

// is and isNot build the clause of a field of the schema.
func is(name string, terms ...filter.Term) filter.Clause {
	c := filter.Clause{Name: name, Column: name, Terms: terms}
	for _, f := range schema {
		if f.Name != name {
			continue
		}
		c.Kind = f.Kind
		if f.Column != "" {
			c.Column = f.Column
		}
	}
	return c
}

func isNot(name string, terms ...filter.Term) filter.Clause {
	c := is(name, terms...)
	c.Negated = true
	return c
}

func text(s string) filter.Term            { return filter.Term{Text: s} }
func span(from, to int64) filter.Term      { return filter.Term{From: from, To: to} }
func exactly(n int64) filter.Term          { return span(n, n) }
func all(c ...filter.Clause) filter.Filter { return c }

var null = filter.Term{Null: true}

func TestParse(t *testing.T) {
	for sentence, test := range map[string]struct {
		text string
		want filter.Filter
	}{
		"no text is no clauses":                      {``, nil},
		"one value":                                  {`name:Test`, all(is("name", text("test")))},
		"text is matched without regard to case":     {`name:ÄSSEN`, all(is("name", text("ässen")))},
		"values of a list keep their case":           {`project:Prj_A`, all(is("project", text("Prj_A")))},
		"values are alternatives":                    {`name:a,b`, all(is("name", text("a"), text("b")))},
		"clauses are all needed":                     {`name:a;type:secret`, all(is("name", text("a")), is("type", text("secret")))},
		"a field may have several clauses":           {`name:!a;name:!b`, all(isNot("name", text("a")), isNot("name", text("b")))},
		"a surface's name leads to the column":       {`owner.id:bob`, all(is("owner.id", text("bob")))},
		"a field ends at the first colon":            {`name:a:b`, all(is("name", text("a:b")))},
		"spaces belong to the value":                 {`name:a, b `, all(is("name", text("a"), text(" b ")))},
		"wildcards of SQL and of shells are text":    {`name:100%,a_b,c*,d?`, all(is("name", text("100%"), text("a_b"), text("c*"), text("d?")))},
		"single quotes and comments are text":        {`name:' OR 1=1 --`, all(is("name", text("' or 1=1 --")))},
		"expressions and parentheses are text":       {`name:(a+)+$`, all(is("name", text("(a+)+$")))},
		"a single dot is text":                       {`name:a.b.`, all(is("name", text("a.b.")))},
		"an exclamation mark inside is text":         {`name:a!b!`, all(is("name", text("a!b!")))},
		"an at sign inside is text":                  {`name:a@b`, all(is("name", text("a@b")))},
		"a number is text in a text":                 {`name:5`, all(is("name", text("5")))},
		"true is text in a text":                     {`name:TRUE`, all(is("name", text("true")))},
		"negation":                                   {`name:!a`, all(isNot("name", text("a")))},
		"negation of each value":                     {`name:!a,!b`, all(isNot("name", text("a"), text("b")))},
		"negation of the first is that of all":       {`name:!a,b,c`, all(isNot("name", text("a"), text("b"), text("c")))},
		"an escaped exclamation mark is text":        {`name:\!a`, all(is("name", text("!a")))},
		"an escaped exclamation mark can be denied":  {`name:!\!a`, all(isNot("name", text("!a")))},
		"an escaped comma":                           {`name:a\,b`, all(is("name", text("a,b")))},
		"an escaped semicolon":                       {`name:a\;b`, all(is("name", text("a;b")))},
		"an escaped colon":                           {`name:a\:b`, all(is("name", text("a:b")))},
		"an escaped backslash":                       {`name:a\\b`, all(is("name", text(`a\b`)))},
		"an escaped quote":                           {`name:\"a\"`, all(is("name", text(`"a"`)))},
		"escaped dots are no range":                  {`name:a\.\.b`, all(is("name", text("a..b")))},
		"one escaped dot is no range":                {`name:a\..b`, all(is("name", text("a..b")))},
		"an escaped at sign":                         {`name:\@me`, all(is("name", text("@me")))},
		"quotes keep separators":                     {`name:"a;b,c:d..e"`, all(is("name", text("a;b,c:d..e")))},
		"quotes keep marks at the beginning":         {`name:"!a","@b"`, all(is("name", text("!a"), text("@b")))},
		"quotes inside quotes are escaped":           {`name:"a\"b\\"`, all(is("name", text(`a"b\`)))},
		"a quoted value can be denied":               {`name:!"a"`, all(isNot("name", text("a")))},
		"clauses go on behind quotes":                {`name:"a","b";number:1`, all(is("name", text("a"), text("b")), is("number", exactly(1)))},
		"quoted nothing is the empty text":           {`name:""`, all(is("name", text("")))},
		"null is the absence of a value":             {`owner:null`, all(is("owner", null))},
		"null has no case":                           {`owner:NULL`, all(is("owner", null))},
		"not null":                                   {`owner:!null`, all(isNot("owner", null))},
		"null among values":                          {`owner:bob,null`, all(is("owner", text("bob"), null))},
		"quoted null is a text":                      {`owner:"null"`, all(is("owner", text("null")))},
		"quoted null is a text where null cannot be": {`name:"NULL"`, all(is("name", text("null")))},
		"null of a list":                             {`project:null`, all(is("project", null))},
		"null of an instant":                         {`expires:null,2026-01-01..`, all(is("expires", null, span(newYear, highest)))},
		"an enum":                                    {`type:secret,publishable`, all(is("type", text("secret"), text("publishable")))},
		"an enum has no case":                        {`type:SECRET`, all(is("type", text("secret")))},
		"a number":                                   {`number:42`, all(is("number", exactly(42)))},
		"a negative number":                          {`number:-42`, all(is("number", exactly(-42)))},
		"a quoted number":                            {`number:"42"`, all(is("number", exactly(42)))},
		"the largest number":                         {`number:9223372036854775807`, all(is("number", exactly(highest)))},
		"the smallest number":                        {`number:-9223372036854775808`, all(is("number", exactly(lowest)))},
		"a range":                                    {`number:1..5`, all(is("number", span(1, 5)))},
		"a range of negative numbers":                {`number:-5..-1`, all(is("number", span(-5, -1)))},
		"a range without end":                        {`number:1..`, all(is("number", span(1, highest)))},
		"a range without beginning":                  {`number:..5`, all(is("number", span(lowest, 5)))},
		"a range backwards is kept":                  {`number:5..1`, all(is("number", span(5, 1)))},
		"a range can be denied":                      {`number:!1..5`, all(isNot("number", span(1, 5)))},
		"a denied range without beginning":           {`number:!..5`, all(isNot("number", span(lowest, 5)))},
		"ranges and values together":                 {`number:..1,5,9..`, all(is("number", span(lowest, 1), exactly(5), span(9, highest)))},
		"a range with quoted ends":                   {`number:"1".."5"`, all(is("number", span(1, 5)))},
		"an instant":                                 {`created:2026-01-01T00:00:00Z`, all(is("created", exactly(newYear)))},
		"an instant with an offset":                  {`created:2026-01-01T02:00:00+02:00`, all(is("created", exactly(newYear)))},
		"an instant with milliseconds":               {`created:2026-01-01T00:00:00.007Z`, all(is("created", exactly(newYear+7)))},
		"a date is the start of its day":             {`created:2026-01-02`, all(is("created", exactly(newYear+day)))},
		"a range of dates":                           {`created:2026-01-01..2026-01-02`, all(is("created", span(newYear, newYear+day)))},
		"a range of instants without end":            {`created:2026-01-01T00:00:00Z..`, all(is("created", span(newYear, highest)))},
		"a range of instants with fractions":         {`created:2026-01-01T00:00:00.5Z..2026-01-02`, all(is("created", span(newYear+500, newYear+day)))},
		"a range of instants backwards is kept":      {`created:2026-01-02..2026-01-01`, all(is("created", span(newYear+day, newYear)))},
		"the last instant":                           {`created:..9999-12-31T23:59:59.999Z`, all(is("created", span(lowest, 253402300799999)))},
		"true":                                       {`enabled:true`, all(is("enabled", exactly(1)))},
		"false, denied":                              {`enabled:!False`, all(isNot("enabled", exactly(0)))},
		"as many values as allowed":                  {`number:1` + strings.Repeat(",1", filter.MaxValues-1), all(is("number", many(exactly(1), filter.MaxValues)...))},
		"as many clauses as allowed":                 {`number:1` + strings.Repeat(";number:1", filter.MaxClauses-1), many(is("number", exactly(1)), filter.MaxClauses)},
		"as many bytes as allowed":                   {`name:` + strings.Repeat("a", filter.MaxLength-5), all(is("name", text(strings.Repeat("a", filter.MaxLength-5))))},
	} {
		t.Run(sentence, func(t *testing.T) {
			got, err := filter.Parse(test.text, schema)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Fatalf("Parse(%q) = %+v, %v, want %+v", test.text, got, err, test.want)
			}
			again, err := filter.Parse(got.String(), schema)
			if len(got.String()) <= filter.MaxLength && (err != nil || !reflect.DeepEqual(again, got)) {
				t.Errorf("Parse(%q) = %+v, %v, want %+v as at first", got.String(), again, err, got)
			}
		})
	}
}

func many[T any](v T, n int) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = v
	}
	return list
}

func TestParseRefuses(t *testing.T) {
	for sentence, test := range map[string]struct {
		text string
		want string // part of the detail
	}{
		"an unknown field":                       {`nme:a`, `clause 1: unknown field "nme"; the fields are: name, owner, owner.id, type, number, created, expires, enabled, project`},
		"a field in another case":                {`Name:a`, `unknown field "Name"`},
		"a column that the surface hides":        {`ownerId:a`, `unknown field "ownerId"`},
		"a field with a space":                   {`name:a; number:1`, `clause 2: unknown field " number"`},
		"a very long field":                      {strings.Repeat("ä", 99) + `:a`, `unknown field "` + strings.Repeat("ä", 20) + `…"`},
		"no field":                               {`:a`, `unknown field ""`},
		"a clause without a colon":               {`name`, `clause 1: is not of the form field:value`},
		"a clause without a colon before others": {`name;number:1`, `clause 1: is not of the form`},
		"an empty clause":                        {`name:a;;number:1`, `clause 2: is not of the form`},
		"a semicolon at the end":                 {`name:a;`, `clause 2: is not of the form`},
		"a single space":                         {` `, `is not of the form`},
		"no value":                               {`name:`, `name: value 1 is empty`},
		"no value after a mark":                  {`name:!`, `name: value 1 is empty`},
		"no value between commas":                {`name:a,,b`, `name: value 2 is empty`},
		"a comma at the end":                     {`name:a,`, `name: value 2 is empty`},
		"a mark on a later value only":           {`name:a,!b`, `name mixes values`},
		"a mark on some values":                  {`name:!a,b,!c`, `name mixes values`},
		"two marks":                              {`name:!!a`, `begins with "!!"`},
		"a saved list":                           {`name:@vips`, `name: value 1 names a saved list`},
		"a denied saved list":                    {`name:!@vips`, `names a saved list`},
		"a range of texts":                       {`name:a..b`, `name: value 1 is a range, which only numbers and instants have`},
		"a range of enum values":                 {`type:secret..`, `is a range`},
		"a range of truths":                      {`enabled:false..true`, `is a range`},
		"a range of lists":                       {`project:..x`, `is a range`},
		"a range without ends":                   {`number:..`, `number: value 1 is a range without ends`},
		"a range with a quoted empty end":        {`number:""..5`, `is not a whole number`},
		"a range of three":                       {`number:1..2..3`, `has ".." more than once`},
		"four dots":                              {`number:1....5`, `has ".." more than once`},
		"three dots":                             {`number:1...5`, `is not a whole number`},
		"a range of null":                        {`expires:null..2026-01-01`, `is not an RFC 3339 date-time`},
		"null where it cannot be":                {`number:null`, `number: value 1 is null, which this field never is`},
		"null of a text that is never null":      {`name:!null`, `write "null" with quotes`},
		"a value that the enum lacks":            {`type:secret,public`, `type: value 2 is none of: secret, publishable`},
		"letters for a number":                   {`number:one`, `number: value 1 is not a whole number in decimal digits`},
		"a number with a plus":                   {`number:+1`, `is not a whole number`},
		"a fraction":                             {`number:1.5`, `is not a whole number`},
		"an exponent":                            {`number:1e400`, `is not a whole number`},
		"a hexadecimal number":                   {`number:0x10`, `is not a whole number`},
		"a number with underscores":              {`number:1_000`, `is not a whole number`},
		"a number with spaces":                   {`number: 1`, `is not a whole number`},
		"only a minus":                           {`number:-`, `is not a whole number`},
		"a quoted empty number":                  {`number:""`, `is not a whole number`},
		"a number beyond 64 bits":                {`number:9223372036854775808`, `is a number beyond 64 bits`},
		"a word for an instant":                  {`created:yesterday`, `created: value 1 is not an RFC 3339 date-time`},
		"a date that does not exist":             {`created:2026-02-30`, `is not an RFC 3339 date-time`},
		"an instant without an offset":           {`created:2026-01-01T00:00:00`, `is not an RFC 3339 date-time`},
		"a bare number for an instant":           {`created:-1`, `is not an RFC 3339 date-time`},
		"a year of five digits":                  {`created:10000-01-01`, `is not an RFC 3339 date-time`},
		"an instant before 1970":                 {`created:..1969-12-31`, `is outside the years 1970 to 9999`},
		"a number for a truth":                   {`enabled:1`, `enabled: value 1 is neither true nor false`},
		"an open quote":                          {`name:"a;number:1`, `name: value 1 has no closing quote`},
		"a quote that is escaped shut":           {`name:"a\"`, `has no closing quote`},
		"text behind quotes":                     {`name:"a"b`, `goes on after its closing quote`},
		"a quote in the middle":                  {`name:a"b"`, `has a quote in its middle`},
		"a backslash before a letter":            {`name:a\n`, `has a backslash before something other than`},
		"a backslash before an umlaut":           {`name:\ä`, `has a backslash before something other than`},
		"a backslash at the end":                 {`name:a\`, `has a backslash before something other than`},
		"NUL":                                    {"name:a\x00", `contains a control character`},
		"a line feed in quotes":                  {"name:\"a\n\"", `contains a control character`},
		"a control character beyond ASCII":       {"name:a\u0085", `contains a control character`},
		"bytes that are not UTF-8":               {"name:\xff", `is not valid UTF-8`},
		"a text beyond the limit":                {`name:` + strings.Repeat("a", filter.MaxLength-4), `is longer than 8192 bytes`},
		"clauses beyond the limit":               {`number:1` + strings.Repeat(";number:1", filter.MaxClauses), `has more than 50 clauses`},
		"values of all clauses beyond the limit": {strings.Repeat(`number:1`+strings.Repeat(",1", filter.MaxValues-1)+";", 5) + "number:1", `has more than 500 values`},
		"values beyond the limit":                {`number:1` + strings.Repeat(",1", filter.MaxValues), `clause 1: number has more than 100 values`},
		"many open parentheses":                  {strings.Repeat("(", 5000), `is not of the form`},
	} {
		t.Run(sentence, func(t *testing.T) {
			got, err := filter.Parse(test.text, schema)
			if got != nil {
				t.Errorf("Parse(%q) = %+v beside its error", test.text, got)
			}
			checkFault(t, err, "/filter", test.want)
		})
	}
}

// checkFault wants one fault at pointer whose detail contains part.
func checkFault(t *testing.T, err error, pointer, part string) {
	t.Helper()
	fields := keyward.FieldsOf(err)
	if keyward.CodeOf(err) != keyward.Invalid || len(fields) != 1 {
		t.Fatalf("error is %v, want one fault of code %s", err, keyward.Invalid)
	}
	if f := fields[0]; f.Pointer != pointer || !strings.Contains(f.Detail, part) {
		t.Errorf("fault is %q at %q, want %q at %q", f.Detail, f.Pointer, part, pointer)
	}
}

func TestRefusalsDoNotRepeatValues(t *testing.T) {
	for _, text := range []string{`number:sesame`, `type:sesame`, `name:"sesame`, `name:sesame..`, `name:a,!sesame`, `created:sesame`, `enabled:sesame`} {
		if _, err := filter.Parse(text, schema); err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("Parse(%q): %v, want an error without the value", text, err)
		}
	}
}

func TestCanonicalText(t *testing.T) {
	for text, want := range map[string]string{
		``:                         ``,
		`name:Test`:                `name:test`,
		`name:"plain"`:             `name:plain`,
		`name:a\,b,c\.d`:           `name:"a,b",c.d`,
		`name:a\"b\\`:              `name:"a\"b\\"`,
		`name:!a,b`:                `name:!a,!b`,
		`name:""`:                  `name:""`,
		`owner:"Null",NULL`:        `owner:"null",null`,
		`project:"NULL"`:           `project:"NULL"`,
		`number:007,-0`:            `number:7,0`,
		`number:5..5`:              `number:5`,
		`number:1..,..1`:           `number:1..,..1`,
		`created:2026-01-01..`:     `created:2026-01-01T00:00:00.000Z..`,
		`type:Secret`:              `type:secret`,
		`enabled:TRUE;type:secret`: `enabled:true;type:secret`,
	} {
		f, err := filter.Parse(text, schema)
		if got := f.String(); err != nil || got != want {
			t.Errorf("canonical text of %q is %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestTermsSayWhatTheyAre(t *testing.T) {
	f, err := filter.Parse(`number:5,5..6,5..5;enabled:true,false`, schema)
	if err != nil {
		t.Fatal(err)
	}
	numbers, bools := f[0].Terms, f[1].Terms
	if !numbers[0].Single() || numbers[1].Single() || !numbers[2].Single() {
		t.Errorf("5, 5..6 and 5..5 are single: %v, %v, %v", numbers[0].Single(), numbers[1].Single(), numbers[2].Single())
	}
	if !bools[0].Bool() || bools[1].Bool() {
		t.Errorf("true and false are %v, %v", bools[0].Bool(), bools[1].Bool())
	}
}

// The canonical text can only be read back if folding twice is folding once.
func TestFoldingIsStable(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		once := keyward.Fold(string(r))
		if twice := keyward.Fold(once); twice != once {
			t.Errorf("Fold(%q) = %q, but of that it is %q", r, once, twice)
		}
	}
}
