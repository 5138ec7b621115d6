package apitest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// transcript is a file of cases.
type transcript struct{ cases []scene }

// scene is one case: a sentence and the exchanges that show that it is true.
type scene struct {
	name      string
	exchanges []exchange
}

// exchange is a request and what its answer must be.
type exchange struct {
	line    int // of the request, from 1
	method  string
	target  string
	headers [][2]string
	body    string
	checks  []check
}

// paragraph is lines without an empty one between.
type paragraph struct {
	line  int
	lines []string
}

var (
	requestLine = regexp.MustCompile(`^([A-Z]+) ([/{]\S*)$`)
	headerLine  = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*): ?(.*)$`)
)

// parse reads a transcript.
func parse(text string) (transcript, error) {
	var t transcript
	for _, p := range paragraphs(text) {
		if err := t.add(p); err != nil {
			return t, fmt.Errorf("line %d: %w", p.line, err)
		}
	}
	return t, nil
}

func paragraphs(text string) []paragraph {
	var all []paragraph
	var current paragraph
	for i, line := range strings.Split(text+"\n", "\n") {
		line = strings.TrimRight(line, " \r")
		switch {
		case line != "" && current.lines == nil:
			current = paragraph{i + 1, []string{line}}
		case line != "":
			current.lines = append(current.lines, line)
		case current.lines != nil:
			all = append(all, current)
			current = paragraph{}
		}
	}
	return all
}

// add takes one paragraph: comments that name a case, a request, or checks.
func (t *transcript) add(p paragraph) error {
	var comment []string
	for len(p.lines) > 0 && strings.HasPrefix(p.lines[0], "#") {
		comment = append(comment, strings.TrimSpace(p.lines[0][1:]))
		p.line, p.lines = p.line+1, p.lines[1:]
	}
	if comment != nil {
		sentence, _, _ := strings.Cut(strings.Join(comment, " "), ". ")
		t.cases = append(t.cases, scene{name: strings.TrimSuffix(sentence, ".")})
	}
	if len(p.lines) == 0 {
		return nil
	}
	if len(t.cases) == 0 {
		return fmt.Errorf("a case begins with a sentence behind #")
	}
	current := &t.cases[len(t.cases)-1]
	if requestLine.MatchString(p.lines[0]) {
		current.exchanges = append(current.exchanges, parseRequest(p))
		return nil
	}
	if len(current.exchanges) == 0 {
		return fmt.Errorf("there is no request to check")
	}
	last := &current.exchanges[len(current.exchanges)-1]
	for i, line := range p.lines {
		c, err := parseCheck(line)
		if err != nil {
			return err
		}
		c.line = p.line + i
		last.checks = append(last.checks, c)
	}
	return nil
}

// parseRequest reads the request line, the headers, and whatever follows as the body.
func parseRequest(p paragraph) exchange {
	first := requestLine.FindStringSubmatch(p.lines[0])
	e := exchange{line: p.line, method: first[1], target: first[2]}
	rest := p.lines[1:]
	for len(rest) > 0 {
		header := headerLine.FindStringSubmatch(rest[0])
		if header == nil {
			break
		}
		e.headers = append(e.headers, [2]string{header[1], header[2]})
		rest = rest[1:]
	}
	e.body = strings.Join(rest, "\n")
	return e
}

// needs returns the variables that are used before the transcript saves them.
func (t *transcript) needs() []string {
	var needed []string
	saved := map[string]bool{}
	use := func(text string) {
		for _, found := range variable.FindAllString(text, -1) {
			if name := found[1 : len(found)-1]; !saved[name] && !slices.Contains(needed, name) {
				needed = append(needed, name)
			}
		}
	}
	for _, scene := range t.cases {
		for _, e := range scene.exchanges {
			use(e.target + e.body)
			for _, header := range e.headers {
				use(header[1])
			}
			for _, c := range e.checks {
				use(c.operand)
				saved[c.save] = true
			}
		}
	}
	return needed
}
