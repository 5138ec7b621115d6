// Package web provides what people read in a browser: the contracts of the APIs, an
// index of them, and a reader that needs nothing from outside. A contract reads the
// same to programs, under /openapi/.
//
// Everything it serves is fixed when the server starts, is open to everybody, and
// tells nothing about keys. The package is not for what depends on who is asking.
package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"

	"keyward/internal/api"
)

// Contract is an API as its readers meet it.
type Contract struct {
	// Name is what addresses call it: /openapi/{name}.json, /docs/api/{name}/.
	Name string
	// Title is what people call it.
	Title string
	// Summary says in a sentence or two whom it is for.
	Summary string
	// Base is what the paths of the API begin with.
	Base string
	// Document is its OpenAPI document, in JSON.
	Document json.RawMessage
}

//go:embed static/*.css static/*.js static/*.txt templates/*.html
var files embed.FS

// script is the reader, in a file that is never changed in place: browsers keep it.
const script = "rapidoc-9.3.8.min.js"

// How long browsers keep what they have got.
const (
	askAgain = "no-cache"
	forever  = "public, max-age=31536000, immutable"
)

// Routes returns the routes of the contracts: each document, a page of its own for
// each, an index, and what these pages load. No two contracts may share a name.
func Routes(contracts []Contract) []api.Route {
	pages := template.Must(template.ParseFS(files, "templates/*.html"))
	routes := []api.Route{
		{Pattern: "GET /docs/api", Open: true, Handle: moved("api/")},
		get("/docs/api/{$}", page(pages, "index.html", contracts, "style-src 'self'")),
		get("/docs/api/index.css", static("index.css", "text/css", askAgain)),
		get("/docs/api/reader.css", static("reader.css", "text/css", askAgain)),
		get("/docs/api/reader.js", static("reader.js", "text/javascript", askAgain)),
		get("/docs/api/"+script, static(script, "text/javascript", forever)),
		get("/docs/api/rapidoc.LICENSE.txt", static("rapidoc-9.3.8.LICENSE.txt", "text/plain", askAgain)),
	}
	for _, c := range contracts {
		view := struct {
			Contract
			Script string
		}{c, script}
		routes = append(routes,
			get("/openapi/"+c.Name+".json", newResource("application/json", askAgain, c.Document)),
			api.Route{Pattern: "GET /docs/api/" + c.Name, Open: true, Handle: moved(c.Name + "/")},
			get("/docs/api/"+c.Name+"/{$}", page(pages, "reader.html", view, readerPolicy)),
		)
	}
	return routes
}

// readerPolicy is what the reader may do beside looking like something: run its own
// script, which writes styles into its elements, and ask this server.
const readerPolicy = "script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'"

func get(path string, r *resource) api.Route {
	return api.Route{Pattern: "GET " + path, Open: true, Handle: r.answer}
}

// page returns a template, filled in, as a page that may do what the policy says, and
// may not be put into a frame.
func page(pages *template.Template, name string, view any, policy string) *resource {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, name, view); err != nil {
		panic("web: " + err.Error())
	}
	r := newResource("text/html; charset=utf-8", askAgain, body.Bytes())
	r.header.Set("Content-Security-Policy", "default-src 'none'; img-src 'self' data:; "+policy+
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	r.header.Set("Referrer-Policy", "no-referrer")
	return r
}

func static(name, media, cache string) *resource {
	body, err := files.ReadFile("static/" + name)
	if err != nil {
		panic("web: " + err.Error())
	}
	return newResource(media+"; charset=utf-8", cache, body)
}

// moved answers that the page is at the location, which is relative: behind a proxy
// the server does not know what comes before its paths.
func moved(location string) api.Handler {
	return answering(api.Answer{
		Status: http.StatusPermanentRedirect,
		Header: http.Header{"Location": {location}, "Cache-Control": {askAgain}},
	})
}
