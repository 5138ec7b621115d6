package keyward_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"keyward"
)

// validKey returns a key in which nothing is wrong.
func validKey() *keyward.Key {
	return &keyward.Key{
		Name: "ci runner", Type: keyward.SecretKey, Environment: keyward.Live,
		Metadata: json.RawMessage(`{}`), Enabled: true,
	}
}

// names are good and bad names of anything that people name.
var names = map[string]struct {
	text string
	ok   bool
}{
	"a letter":                        {"a", true},
	"a word":                          {"ci runner", true},
	"a word in another script":        {"ключ 鍵", true},
	"a symbol":                        {"🔑", true},
	"a combining mark":                {"e\u0301", true},
	"a zero-width joiner in a word":   {"क\u094d\u200dष", true},
	"quotes and slashes":              {`<a href="/x">'`, true},
	"spaces around it":                {" a ", true},
	"255 letters":                     {strings.Repeat("a", 255), true},
	"255 letters of several bytes":    {strings.Repeat("鍵", 255), true},
	"nothing":                         {"", false},
	"256 letters":                     {strings.Repeat("a", 256), false},
	"256 letters of several bytes":    {strings.Repeat("鍵", 256), false},
	"a space":                         {" ", false},
	"several spaces":                  {"   ", false},
	"a no-break space":                {"\u00a0", false},
	"an ideographic space":            {"\u3000", false},
	"a zero-width space":              {"\u200b", false},
	"a byte order mark":               {"\ufeff", false},
	"NUL":                             {"a\x00b", false},
	"a line feed":                     {"a\nb", false},
	"a carriage return":               {"a\rb", false},
	"a tab":                           {"a\tb", false},
	"an escape":                       {"a\x1b[31m", false},
	"a delete":                        {"a\x7f", false},
	"a C1 control":                    {"a\u0085", false},
	"a line separator":                {"a\u2028b", false},
	"a paragraph separator":           {"a\u2029b", false},
	"a left-to-right mark":            {"a\u200e", false},
	"an Arabic letter mark":           {"a\u061c", false},
	"a right-to-left override":        {"a\u202egnp.exe", false},
	"a pop of directional formatting": {"a\u202c", false},
	"an isolate":                      {"a\u2066b", false},
	"what is not UTF-8":               {"a\xff", false},
	"half a character":                {"a\xe9\x8d", false},
	"a surrogate":                     {"a\xed\xa0\x80", false},
}

func TestNamesShowWhatTheyAre(t *testing.T) {
	for name, test := range names {
		t.Run(name, func(t *testing.T) {
			k := validKey()
			k.Name = test.text
			o := &keyward.Organization{Name: test.text, Prefix: "kw", PublicID: "abcdefgh"}
			p := &keyward.Project{Name: test.text, PublicID: "abcdefgh"}
			op := &keyward.Operator{Name: test.text, Role: keyward.Owner}
			var want []string
			if !test.ok {
				want = []string{"/name"}
			}
			for what, err := range map[string]error{
				"key": k.Validate(), "organization": o.Validate(), "project": p.Validate(), "operator": op.Validate(),
			} {
				if got := pointers(err); !slices.Equal(got, want) {
					t.Errorf("the %s named %q is wrong at %q, want %q: %v", what, test.text, got, want, err)
				}
				if err != nil && keyward.CodeOf(err) != keyward.Invalid {
					t.Errorf("code %s, want %s", keyward.CodeOf(err), keyward.Invalid)
				}
			}
		})
	}
}

func TestAKeyIsWrongAt(t *testing.T) {
	grants := func(n int) []keyward.Grant { return make([]keyward.Grant, n) }
	managed := func(scope keyward.Scope, permissions ...string) func(*keyward.Key) {
		return func(k *keyward.Key) { k.Management = []keyward.Grant{{Scope: scope, Permissions: permissions}} }
	}
	granted := func(scope keyward.Scope, permissions ...string) func(*keyward.Key) {
		return func(k *keyward.Key) { k.ACL = []keyward.Grant{{}, {Scope: scope, Permissions: permissions}} }
	}
	for name, test := range map[string]struct {
		change func(*keyward.Key)
		want   []string // pointers
	}{
		"nothing":                      {func(*keyward.Key) {}, nil},
		"a publishable key":            {func(k *keyward.Key) { k.Type = keyward.Publishable }, nil},
		"no type":                      {func(k *keyward.Key) { k.Type = "" }, []string{"/type"}},
		"a type in capitals":           {func(k *keyward.Key) { k.Type = "SECRET" }, []string{"/type"}},
		"a sandbox":                    {func(k *keyward.Key) { k.Environment = keyward.Sandbox }, nil},
		"no environment":               {func(k *keyward.Key) { k.Environment = "" }, []string{"/environment"}},
		"an unknown environment":       {func(k *keyward.Key) { k.Environment = "prod" }, []string{"/environment"}},
		"an owner":                     {func(k *keyward.Key) { k.OwnerID = new("user_42") }, nil},
		"an empty owner":               {func(k *keyward.Key) { k.OwnerID = new("") }, []string{"/ownerId"}},
		"an owner with a control":      {func(k *keyward.Key) { k.OwnerID = new("a\n") }, []string{"/ownerId"}},
		"an owner of 256 letters":      {func(k *keyward.Key) { k.OwnerID = new(strings.Repeat("a", 256)) }, []string{"/ownerId"}},
		"an end only":                  {func(k *keyward.Key) { k.ExpireTime = noon }, nil},
		"a start only":                 {func(k *keyward.Key) { k.StartTime = noon }, nil},
		"an end after the start":       {func(k *keyward.Key) { k.StartTime, k.ExpireTime = noon, noon+1 }, nil},
		"an end at the start":          {func(k *keyward.Key) { k.StartTime, k.ExpireTime = noon, noon }, []string{"/expireTime"}},
		"an end before the start":      {func(k *keyward.Key) { k.StartTime, k.ExpireTime = noon, noon-1 }, []string{"/expireTime"}},
		"a project":                    {func(k *keyward.Key) { k.ProjectIDs = []string{"prj_1"} }, nil},
		"a project twice":              {func(k *keyward.Key) { k.ProjectIDs = []string{"prj_1", "prj_2", "prj_1"} }, []string{"/projectIds/2"}},
		"a hundred projects":           {func(k *keyward.Key) { k.ProjectIDs = numbered(100) }, nil},
		"a hundred and one":            {func(k *keyward.Key) { k.ProjectIDs = numbered(101) }, []string{"/projectIds"}},
		"an address and a block":       {func(k *keyward.Key) { k.AllowedIPs = []string{"203.0.113.7", "2001:db8::/32"} }, nil},
		"an empty list of addresses":   {func(k *keyward.Key) { k.AllowedIPs = []string{} }, []string{"/allowedIps"}},
		"a wrong address":              {func(k *keyward.Key) { k.AllowedIPs = []string{"::1", "10.1"} }, []string{"/allowedIps/1"}},
		"a thousand addresses":         {func(k *keyward.Key) { k.AllowedIPs = slices.Repeat([]string{"::1"}, 1000) }, nil},
		"a thousand and one":           {func(k *keyward.Key) { k.AllowedIPs = slices.Repeat([]string{"::1"}, 1001) }, []string{"/allowedIps"}},
		"no metadata":                  {func(k *keyward.Key) { k.Metadata = nil }, []string{"/metadata"}},
		"metadata null":                {func(k *keyward.Key) { k.Metadata = json.RawMessage(`null`) }, []string{"/metadata"}},
		"metadata that is a list":      {func(k *keyward.Key) { k.Metadata = json.RawMessage(`[]`) }, []string{"/metadata"}},
		"metadata that is broken":      {func(k *keyward.Key) { k.Metadata = json.RawMessage(`{"a":}`) }, []string{"/metadata"}},
		"metadata that is not UTF-8":   {func(k *keyward.Key) { k.Metadata = json.RawMessage("{\"a\":\"\xff\"}") }, []string{"/metadata"}},
		"metadata with spaces":         {func(k *keyward.Key) { k.Metadata = json.RawMessage(` {"a": [1, {"b": null}]} `) }, nil},
		"metadata of 16 KiB":           {func(k *keyward.Key) { k.Metadata = metadata(16 << 10) }, nil},
		"metadata of a byte more":      {func(k *keyward.Key) { k.Metadata = metadata(16<<10 + 1) }, []string{"/metadata"}},
		"a grant":                      {granted(keyward.Scope{"region": {"eu"}}, "docs.read", "reports.*", "*"), nil},
		"a grant without permissions":  {granted(nil), nil},
		"an empty permission":          {granted(nil, "a", ""), []string{"/acl/1/permissions/1"}},
		"a permission with a control":  {granted(nil, "a\t"), []string{"/acl/1/permissions/0"}},
		"a permission too long":        {granted(nil, strings.Repeat("a", 256)), []string{"/acl/1/permissions/0"}},
		"a star in an odd place":       {granted(nil, "a.*.b", "a.*", "a*"), []string{"/acl/1/permissions/0", "/acl/1/permissions/2"}},
		"a thousand permissions":       {granted(nil, slices.Repeat([]string{"a"}, 1000)...), nil},
		"a thousand and one of them":   {granted(nil, slices.Repeat([]string{"a"}, 1001)...), []string{"/acl/1/permissions"}},
		"a hundred grants":             {func(k *keyward.Key) { k.ACL = grants(100) }, nil},
		"a hundred and one of them":    {func(k *keyward.Key) { k.ACL = grants(101) }, []string{"/acl"}},
		"an unnamed dimension":         {granted(keyward.Scope{"": {"eu"}}, "a"), []string{"/acl/1/scope/"}},
		"a dimension to escape":        {granted(keyward.Scope{"a/b~c\n": nil}, "a"), []string{"/acl/1/scope/a~1b~0c\n"}},
		"a wrong value":                {granted(keyward.Scope{"region": {"eu", "\x00"}}, "a"), []string{"/acl/1/scope/region/1"}},
		"an empty value":               {granted(keyward.Scope{"region": {""}}, "a"), nil},
		"a dimension without values":   {granted(keyward.Scope{"region": {}}, "a"), nil},
		"a thousand values":            {granted(keyward.Scope{"region": numbered(1000)}, "a"), nil},
		"a thousand and one values":    {granted(keyward.Scope{"region": numbered(1001)}, "a"), []string{"/acl/1/scope/region"}},
		"twenty dimensions":            {granted(dimensions(20), "a"), nil},
		"twenty-one dimensions":        {granted(dimensions(21), "a"), []string{"/acl/1/scope"}},
		"wrong dimensions in order":    {granted(keyward.Scope{"c": {"\n"}, "a": {"\n"}, "b": {"\n"}}, "a"), []string{"/acl/1/scope/a/0", "/acl/1/scope/b/0", "/acl/1/scope/c/0"}},
		"a management grant":           {managed(nil, "keys.read", "keys.*", "audit.read"), nil},
		"management of a project":      {managed(keyward.Scope{"projectId": {"prj_1"}}, "keys.read"), nil},
		"management by region":         {managed(keyward.Scope{"region": {"eu"}, "area": {"a"}}, "keys.read"), []string{"/management/0/scope/area", "/management/0/scope/region"}},
		"a right that does not exist":  {managed(nil, "keys.read", "docs.read"), []string{"/management/0/permissions/1"}},
		"a pattern of no right at all": {managed(nil, "docs.*"), []string{"/management/0/permissions/0"}},
		"a right in capitals":          {managed(nil, "Keys.read"), []string{"/management/0/permissions/0"}},
		"a publishable manager": {func(k *keyward.Key) {
			k.Type = keyward.Publishable
			managed(nil, "keys.read")(k)
		}, []string{"/management"}},
		"everything at once": {
			func(k *keyward.Key) { *k = keyward.Key{Credits: &keyward.Credits{Remaining: -1}} },
			[]string{"/name", "/type", "/environment", "/metadata", "/credits/remaining"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := validKey()
			test.change(k)
			if got := pointers(k.Validate()); !slices.Equal(got, test.want) {
				t.Errorf("Validate finds fault at %q, want %q: %v", got, test.want, k.Validate())
			}
		})
	}
}

func numbered(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("prj_%d", i)
	}
	return list
}

func dimensions(n int) keyward.Scope {
	scope := keyward.Scope{}
	for _, name := range numbered(n) {
		scope[name] = []string{"a"}
	}
	return scope
}

func metadata(bytes int) json.RawMessage {
	return json.RawMessage(`{"a":"` + strings.Repeat("x", bytes-8) + `"}`)
}

func TestStatusAt(t *testing.T) {
	for name, test := range map[string]struct {
		key  keyward.Key
		want keyward.Status
	}{
		"a plain key":                  {keyward.Key{Enabled: true}, keyward.StatusActive},
		"started this instant":         {keyward.Key{Enabled: true, StartTime: noon}, keyward.StatusActive},
		"starts in a moment":           {keyward.Key{Enabled: true, StartTime: noon + 1}, keyward.StatusScheduled},
		"expires in a moment":          {keyward.Key{Enabled: true, ExpireTime: noon + 1}, keyward.StatusActive},
		"expires this instant":         {keyward.Key{Enabled: true, ExpireTime: noon}, keyward.StatusExpired},
		"expired long ago":             {keyward.Key{Enabled: true, ExpireTime: 1}, keyward.StatusExpired},
		"disabled":                     {keyward.Key{}, keyward.StatusDisabled},
		"disabled and expired":         {keyward.Key{ExpireTime: noon}, keyward.StatusDisabled},
		"disabled and to come":         {keyward.Key{StartTime: noon + 1}, keyward.StatusDisabled},
		"revoked":                      {keyward.Key{Enabled: true, RevokedTime: noon}, keyward.StatusRevoked},
		"revoked by a faster clock":    {keyward.Key{Enabled: true, RevokedTime: noon + 1}, keyward.StatusRevoked},
		"revoked, disabled, expired":   {keyward.Key{RevokedTime: noon, ExpireTime: noon}, keyward.StatusRevoked},
		"revoked before its start":     {keyward.Key{RevokedTime: noon, StartTime: noon + 1}, keyward.StatusRevoked},
		"between its start and end":    {keyward.Key{Enabled: true, StartTime: noon, ExpireTime: noon + 1}, keyward.StatusActive},
		"to come, with an end in past": {keyward.Key{Enabled: true, StartTime: noon + 1, ExpireTime: noon}, keyward.StatusScheduled},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.key.StatusAt(noon); got != test.want {
				t.Errorf("StatusAt = %s, want %s", got, test.want)
			}
		})
	}
}

func TestVersionsThatEndNowAreNotLive(t *testing.T) {
	k := keyward.Key{Versions: []keyward.Version{
		{Version: 1, ExpireTime: noon - 1}, {Version: 2, ExpireTime: noon}, {Version: 3, ExpireTime: noon + 1}, {Version: 4},
	}}
	want := []keyward.Version{k.Versions[2], k.Versions[3]}
	if got := k.LiveVersions(noon); !slices.Equal(got, want) {
		t.Errorf("LiveVersions = %v, want %v", got, want)
	}
	if len(k.Versions) != 4 || k.Versions[0].Version != 1 {
		t.Errorf("the key's own versions are %v now", k.Versions)
	}
}

func TestNormalizeWritesOneWay(t *testing.T) {
	k := validKey()
	k.Metadata = json.RawMessage(" {\"a\": [ 1, 2 ]}\n")
	k.AllowedIPs = []string{"10.0.0.1/8", "2001:DB8::7", "::ffff:10.0.0.1/104"}
	k.ACL = []keyward.Grant{{}, {Scope: keyward.Scope{"region": nil}, Permissions: []string{"a"}}}
	k.Normalize()
	want := validKey()
	want.Metadata = json.RawMessage(`{"a":[1,2]}`)
	want.AllowedIPs = []string{"10.0.0.0/8", "2001:DB8::7", "::ffff:10.0.0.0/104"}
	want.ProjectIDs, want.Management, want.RateLimits = []string{}, []keyward.Grant{}, []keyward.RateLimit{}
	want.ACL = []keyward.Grant{
		{Scope: keyward.Scope{}, Permissions: []string{}},
		{Scope: keyward.Scope{"region": {}}, Permissions: []string{"a"}},
	}
	if !reflect.DeepEqual(k, want) {
		t.Errorf("Normalize makes it %+v, want %+v", k, want)
	}
	k.Normalize()
	if !reflect.DeepEqual(k, want) {
		t.Errorf("once more makes it %+v", k)
	}
	k.AllowedIPs = nil
	k.Normalize()
	if k.AllowedIPs != nil {
		t.Errorf("no restriction became the list %q", k.AllowedIPs)
	}
}

func TestAKeyIsWrittenWithoutNullLists(t *testing.T) {
	k := validKey()
	k.Normalize()
	text, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{
		`"projectIds":[]`, `"acl":[]`, `"management":[]`, `"rateLimits":[]`, `"allowedIps":null`, `"metadata":{}`,
		`"ownerId":null`, `"credits":null`, `"startTime":null`, `"expireTime":null`, `"revokedTime":null`, `"revokeReason":null`,
	} {
		if !strings.Contains(string(text), member) {
			t.Errorf("%s lacks %s", text, member)
		}
	}
}
