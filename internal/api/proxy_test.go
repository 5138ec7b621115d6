package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keyward/internal/api"
)

func TestClientIP(t *testing.T) {
	proxies, err := api.ParseProxies(" 10.0.0.0/8, 127.0.0.1,2001:db8::/32 ")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		peer string
		xff  []string
		want string // "" is an address that is not known
	}{
		"the connection's":                        {"203.0.113.7:1234", nil, "203.0.113.7"},
		"a mapped one is v4":                      {"[::ffff:203.0.113.7]:1234", nil, "203.0.113.7"},
		"a zone is dropped":                       {"[fe80::1%eth0]:1234", nil, "fe80::1"},
		"a transition form is not its v4":         {"[64:ff9b::a00:1]:1234", nil, "64:ff9b::a00:1"},
		"a UNIX socket has none":                  {"@", nil, ""},
		"no address at all":                       {"", nil, ""},
		"a stranger's header is not believed":     {"203.0.113.7:1", []string{"1.1.1.1"}, "203.0.113.7"},
		"a proxy's is":                            {"10.0.0.1:1", []string{"1.1.1.1"}, "1.1.1.1"},
		"a mapped proxy's is":                     {"[::ffff:10.0.0.1]:1", []string{"1.1.1.1"}, "1.1.1.1"},
		"a proxy speaks for itself without it":    {"10.0.0.1:1", nil, "10.0.0.1"},
		"the rightmost counts":                    {"10.0.0.1:1", []string{"127.0.0.1, 1.1.1.1, 2.2.2.2"}, "2.2.2.2"},
		"proxies are skipped":                     {"10.0.0.1:1", []string{"6.6.6.6, 2.2.2.2,\t10.9.9.9 , 2001:db8::5"}, "2.2.2.2"},
		"all lines are one list":                  {"10.0.0.1:1", []string{"1.1.1.1", "2.2.2.2", "10.0.0.2"}, "2.2.2.2"},
		"proxies all the way":                     {"10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"a mapped element is v4":                  {"10.0.0.1:1", []string{"::ffff:2.2.2.2"}, "2.2.2.2"},
		"garbage left of the client is nothing":   {"10.0.0.1:1", []string{"<script>,,unknown, 2.2.2.2"}, "2.2.2.2"},
		"a word":                                  {"10.0.0.1:1", []string{"1.1.1.1, unknown"}, ""},
		"a hidden name":                           {"10.0.0.1:1", []string{"_hidden"}, ""},
		"an empty element":                        {"10.0.0.1:1", []string{"1.1.1.1,"}, ""},
		"an empty header":                         {"10.0.0.1:1", []string{""}, ""},
		"a port":                                  {"10.0.0.1:1", []string{"1.1.1.1:80"}, ""},
		"brackets":                                {"10.0.0.1:1", []string{"[2001:db9::1]"}, ""},
		"quotes":                                  {"10.0.0.1:1", []string{`"1.1.1.1"`}, ""},
		"a zone in an element":                    {"10.0.0.1:1", []string{"fe80::1%eth0"}, ""},
		"an octal number":                         {"10.0.0.1:1", []string{"010.0.0.1"}, ""},
		"garbage behind a proxy":                  {"10.0.0.1:1", []string{"1.1.1.1, x, 10.0.0.2"}, ""},
		"a client behind 99 proxies":              {"10.0.0.1:1", []string{"1.1.1.1" + strings.Repeat(",10.0.0.2", 99)}, "1.1.1.1"},
		"a client behind 100 proxies":             {"10.0.0.1:1", []string{"1.1.1.1" + strings.Repeat(",10.0.0.2", 100)}, ""},
		"a list of 1000 with a client at the end": {"10.0.0.1:1", []string{strings.Repeat("9.9.9.9,", 1000) + "1.1.1.1"}, "1.1.1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = test.peer
			for _, line := range test.xff {
				r.Header.Add("X-Forwarded-For", line)
			}
			for _, other := range []string{"X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "X_Forwarded_For"} {
				r.Header.Set(other, "6.6.6.6")
			}
			r.Header.Set("Forwarded", "for=6.6.6.6")
			r.Header.Set("Connection", "X-Forwarded-For")
			got := proxies.ClientIP(r)
			if want := test.want; got.IsValid() && got.String() != want || !got.IsValid() && want != "" {
				t.Errorf("ClientIP = %s, want %q", got, want)
			}
		})
	}
}

func TestAUNIXSocketCanBeTrusted(t *testing.T) {
	for trusted, want := range map[string]string{"": "invalid IP", "127.0.0.1": "invalid IP", "10.0.0.0/8, unix": "1.1.1.1"} {
		proxies, err := api.ParseProxies(trusted)
		if err != nil {
			t.Fatal(err)
		}
		for _, peer := range []string{"@", "", "/run/socket"} {
			r := forwardedBy(peer, "2.2.2.2, 1.1.1.1")
			if got := proxies.ClientIP(r).String(); got != want {
				t.Errorf("with %q trusted, %q speaks for %s, want %s", trusted, peer, got, want)
			}
			r.Header.Del("X-Forwarded-For")
			if got := proxies.ClientIP(r); got.IsValid() {
				t.Errorf("with %q trusted, %q has the address %s, want none", trusted, peer, got)
			}
			if got := proxies.ClientIP(forwardedBy(peer, "3.3.3.3, 1.1.1.1, 10.0.0.7")).String(); got != want {
				t.Errorf("with %q trusted, %q and a proxy behind it speak for %s, want %s", trusted, peer, got, want)
			}
			for _, wrong := range []string{"1.1.1.1,", "unknown", "1.1.1.1, fe80::1%eth0", "1.1.1.1, x, 10.0.0.7"} {
				if got := proxies.ClientIP(forwardedBy(peer, wrong)); got.IsValid() {
					t.Errorf("with %q trusted, %q speaks for %s by %q", trusted, peer, got, wrong)
				}
			}
			r.RemoteAddr = "203.0.113.7:1"
			if got := proxies.ClientIP(r).String(); got != "203.0.113.7" {
				t.Errorf("with %q trusted, a stranger speaks for %s", trusted, got)
			}
		}
	}
}

func forwardedBy(peer, forwarded string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = peer
	r.Header.Set("X-Forwarded-For", forwarded)
	return r
}

func TestParseProxiesRefusesWhatIsNoAddress(t *testing.T) {
	for _, text := range []string{"x", "10.0.0.0/33", "10.0.0.1,", "010.0.0.1", "10.1", "0x7f.1", "::1%eth0", "2001:db8::/129"} {
		if got, err := api.ParseProxies(text); err == nil {
			t.Errorf("ParseProxies(%q) = %v, want an error", text, got)
		}
	}
	if got, err := api.ParseProxies("  "); got != nil || err != nil {
		t.Errorf("ParseProxies of nothing = %v, %v, want nobody", got, err)
	}
}
