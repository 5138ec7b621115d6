package proxytest_test

import (
	"strings"
	"testing"
)

// proxy is one program, and how its page of the guide is turned into what it runs.
type proxy struct {
	name string
	// down is what clients get while the server is away.
	down int
	// own begins the line that says what a request takes, which route rules say otherwise.
	own string
	// open makes the form that lets requests through while the server is away; nil where
	// there is none.
	open  func(t *testing.T, config string) string
	pages []page
	run   func(t *testing.T, w *world, address string, files []string)
}

// page is a block of the guide.
type page struct{ file, language string }

func proxies() []proxy {
	return []proxy{
		{
			name: "nginx", down: 503, own: "proxy_set_header Keyward-Permission ", open: openNginx,
			pages: []page{{"nginx.md", "nginx"}}, run: runNginx,
		},
		{
			name: "Caddy", down: 502, own: "header_up Keyward-Permission ",
			pages: []page{{"caddy.md", "caddyfile"}}, run: runCaddy,
		},
		{
			name: "HAProxy", down: 503, own: `["keyward-permission"] =`, open: openHAProxy,
			pages: []page{{"haproxy.md", "lua"}, {"haproxy.md", "haproxy"}}, run: runHAProxy,
		},
	}
}

// start runs the proxy before the API of the world, as the guide says, but for addresses,
// the credential, and what change does to the files.
func (p proxy) start(t *testing.T, w *world, change func(t *testing.T, config string) string) {
	t.Helper()
	var files []string
	all := ""
	for _, page := range p.pages {
		files = append(files, block(t, page.file, page.language))
		all += files[len(files)-1]
	}
	address := freeAddress(t)
	for old, with := range map[string]string{
		"127.0.0.1:8000": address, "127.0.0.1:8080": strings.TrimPrefix(w.URL, "http://"),
		"127.0.0.1:9000": strings.TrimPrefix(w.api.URL, "http://"), "kwop_YOUR_VERIFIER": w.verifier,
	} {
		all = replace(t, all, old, with)
		for i := range files {
			files[i] = strings.ReplaceAll(files[i], old, with)
		}
	}
	if change != nil {
		for i := range files {
			files[i] = change(t, files[i])
		}
	}
	p.run(t, w, address, files)
	w.proxy = "http://" + address
}

// withRules leaves the line out that says what a request takes.
func (p proxy) withRules(t *testing.T, config string) string {
	t.Helper()
	var kept []string
	for line := range strings.Lines(config) {
		if !strings.HasPrefix(strings.TrimSpace(line), p.own) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func runNginx(t *testing.T, _ *world, address string, files []string) {
	t.Helper()
	main := "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		main += kind + "_temp_path " + t.TempDir() + ";\n"
	}
	prefix := t.TempDir()
	start(t, address, "nginx", "-p", prefix, "-e", "stderr", "-c", write(t, "nginx.conf", main+files[0]+"}\n"))
}

// openNginx adds the two further blocks of the page.
func openNginx(t *testing.T, config string) string {
	t.Helper()
	config = replace(t, config, "    location @refused {", indentedBlock(t, "nginx.md", "location @open {")+"\n    location @refused {")
	return replace(t, config, "        internal;\n", "        internal;\n"+indentedBlock(t, "nginx.md", "error_page 502 504"))
}

func runCaddy(t *testing.T, _ *world, address string, files []string) {
	t.Helper()
	start(t, address, "caddy", "run", "--adapter", "caddyfile", "--config", write(t, "Caddyfile", "{\n\tadmin off\n}\n"+files[0]))
}

func runHAProxy(t *testing.T, _ *world, address string, files []string) {
	t.Helper()
	script := write(t, "keyward.lua", files[0])
	start(t, address, "haproxy", "-db", "-f", write(t, "haproxy.cfg", replace(t, files[1], "/etc/haproxy/keyward.lua", script)))
}

// openHAProxy puts the line in that the page says.
func openHAProxy(t *testing.T, config string) string {
	t.Helper()
	const closed = "    http-request return status 503 unless { var(txn.keyward_status) -m int 200 }\n"
	if !strings.Contains(config, closed) {
		return config // the script
	}
	return replace(t, config, closed, indentedBlock(t, "haproxy.md", "http-request return status 503"))
}

// indentedBlock returns the block within a list of a page that begins with a text.
func indentedBlock(t *testing.T, file, begins string) string {
	t.Helper()
	text := read(t, file)
	at := strings.Index(text, "\n  "+begins)
	if at < 0 || !strings.Contains(text[at:], "\n  ```\n") {
		t.Fatalf("%s has no block that begins with %q", file, begins)
	}
	code, _, _ := strings.Cut(text[at+1:], "\n  ```\n")
	return code + "\n"
}
