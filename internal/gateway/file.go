package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"keyward"
)

// LoadRules reads a file of rules; see [ParseRules].
func LoadRules(path string) (*Rules, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseRules(path, text)
}

// ParseRules reads rules from YAML. Members that are not known, routes that are malformed,
// and routes of which neither is more specific than the other are refused: the error names
// the file and the line.
func ParseRules(name string, text []byte) (*Rules, error) {
	p := parser{name: name, rules: new(Rules)}
	var document struct {
		Key   keyPlaces `yaml:"key"`
		Rules []route   `yaml:"rules"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, p.unreadable(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, p.wrong(1, "there is more than one document")
	}
	p.find(text)
	if err := p.keyPlaces(document.Key); err != nil {
		return nil, err
	}
	if len(document.Rules) == 0 && p.lines["rules"] != 0 {
		return nil, p.wrong(p.lines["rules"], "there are no rules, by which nothing would pass; without the member, gateways say what a request takes")
	}
	for i := range document.Rules {
		if err := p.add(&document.Rules[i], p.line(i)); err != nil {
			return nil, err
		}
	}
	return p.rules, nil
}

// keyPlaces says where keys are beside Authorization and X-API-Key.
type keyPlaces struct {
	Header string `yaml:"header"`
	Query  string `yaml:"query"`
}

// route is a rule as it is written.
type route struct {
	Match       string              `yaml:"match"`
	Open        bool                `yaml:"open"`
	Environment keyward.Environment `yaml:"environment"`
	Permissions []string            `yaml:"permissions"`
	Scope       map[string]string   `yaml:"scope"`
	Cost        yaml.Node           `yaml:"cost"` // a number; of halves the reader would make wholes
}

// parser makes rules of what is in a file.
type parser struct {
	name   string
	rules  *Rules
	lines  map[string]int // of the members of the document
	routes []int          // the line of each route
	added  []route        // those that are in the mux
}

func (p *parser) wrong(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.name, line, fmt.Sprintf(format, args...))
}

var (
	yamlLine = regexp.MustCompile(`line (\d+): ([^\n]*)`)
	goType   = regexp.MustCompile(`^cannot unmarshal (\S+) .*$| in type .*$`)
)

// unreadable words an error of the YAML reader, whose first line is enough.
func (p *parser) unreadable(err error) error {
	found := yamlLine.FindStringSubmatch(err.Error())
	if found == nil {
		return p.wrong(1, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	line, _ := strconv.Atoi(found[1])
	if strings.HasPrefix(found[2], "cannot unmarshal") {
		return p.wrong(line, "%s", goType.ReplaceAllString(found[2], "${1} is not what belongs here"))
	}
	return p.wrong(line, "%s", goType.ReplaceAllString(found[2], ""))
}

// find notes on which lines things are. The text has been read once already.
func (p *parser) find(text []byte) {
	p.lines = map[string]int{}
	var document yaml.Node
	if yaml.Unmarshal(text, &document) != nil || len(document.Content) == 0 {
		return
	}
	members := document.Content[0].Content
	for i := 0; i+1 < len(members); i += 2 {
		p.lines[members[i].Value] = members[i].Line
		if members[i].Value != "rules" {
			continue
		}
		for _, one := range members[i+1].Content {
			p.routes = append(p.routes, one.Line)
		}
	}
}

// line returns that of a route, or of what brought it in from elsewhere.
func (p *parser) line(i int) int {
	if i < len(p.routes) {
		return p.routes[i]
	}
	return 1
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

func (p *parser) keyPlaces(places keyPlaces) error {
	line := p.lines["key"]
	if places.Header != "" {
		name := http.CanonicalHeaderKey(places.Header)
		if !headerName.MatchString(name) || reserved(name) {
			return p.wrong(line, "keys cannot be in the header %q", places.Header)
		}
		p.rules.keyHeader = name
	}
	if strings.ContainsFunc(places.Query, func(c rune) bool { return c <= ' ' || c > '~' || c == '&' || c == '=' }) {
		return p.wrong(line, "keys cannot be in the parameter %q", places.Query)
	}
	p.rules.keyQuery = places.Query
	return nil
}

// add puts a route into the mux.
func (p *parser) add(r *route, line int) error {
	if _, ok := normal(wildcards.ReplaceAllString(path(r.Match), "x")); !ok {
		return p.wrong(line, "match must be a normal path with or without a method before it, such as GET /v1/docs/{id}, not %q", r.Match)
	}
	if why := collides(r.Match); why != "" {
		return p.wrong(line, "%s", why)
	}
	for i := range p.added {
		if collides(p.added[i].Match, r.Match) != "" {
			return p.wrong(line, "%s contradicts %s on line %d: some requests match both, and neither is more specific",
				r.Match, p.added[i].Match, p.line(i))
		}
	}
	made, why := r.rule()
	if why != "" {
		return p.wrong(line, "%s: %s", r.Match, why)
	}
	if p.rules.mux == nil {
		p.rules.mux = http.NewServeMux()
	}
	p.rules.mux.Handle(r.Match, made)
	p.added = append(p.added, *r)
	return nil
}

// path returns a pattern without its method.
func path(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return strings.TrimLeft(path, " \t")
	}
	return pattern
}

// collides says why patterns cannot be in one mux, which panics then.
func collides(patterns ...string) (why string) {
	defer func() {
		if cause := recover(); cause != nil {
			why = fmt.Sprint(cause)
		}
	}()
	mux := http.NewServeMux()
	for _, pattern := range patterns {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	return ""
}

// wildcards are those of a pattern.
var wildcards = regexp.MustCompile(`\{[^{}/]*\}`)

// wildcard is a value that stands for one.
var wildcard = regexp.MustCompile(`^\{([A-Za-z_][A-Za-z0-9_]*)\}$`)

// rule makes the rule of a route, or says why there can be none.
func (r *route) rule() (_ *rule, why string) {
	made := &rule{open: r.Open, environment: r.Environment, permissions: r.Permissions, cost: 1}
	if r.Open && (r.Permissions != nil || r.Scope != nil || r.Cost.Kind != 0 || r.Environment != "") {
		return nil, "an open route takes no key, so nothing can be asked of it"
	}
	if r.Environment != "" && !r.Environment.Valid() {
		return nil, "environment must be live, test or sandbox"
	}
	if r.Cost.Kind != 0 {
		var ok bool
		if made.cost, ok = whole(r.Cost.Value); !ok {
			return nil, "cost " + wholeNumber
		}
	}
	var faults keyward.Faults
	keyward.ValidateWanted(&faults, r.Permissions, r.Scope)
	if len(faults) > 0 {
		return nil, faults[0].Pointer + " " + faults[0].Detail
	}
	for dimension, value := range r.Scope {
		name := wildcard.FindStringSubmatch(value)
		switch {
		case name == nil:
			made.scope = with(made.scope, dimension, value)
		case slices.ContainsFunc([]string{"{" + name[1] + "}", "{" + name[1] + "...}"}, func(w string) bool { return strings.Contains(r.Match, w) }):
			made.wildcards = with(made.wildcards, dimension, name[1])
		default:
			return nil, "scope names " + value + ", which is no wildcard of the path"
		}
	}
	return made, ""
}

func with(all map[string]string, name, value string) map[string]string {
	if all == nil {
		all = map[string]string{}
	}
	all[name] = value
	return all
}
