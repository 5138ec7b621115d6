package api

import (
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"keyward"
)

// maxDepth is how deep arrays and objects may nest.
const maxDepth = 32

// kind is what a JSON value is, by its first character.
type kind byte

const (
	objectKind kind = '{'
	arrayKind  kind = '['
	stringKind kind = '"'
	numberKind kind = '0'
	trueKind   kind = 't'
	falseKind  kind = 'f'
	nullKind   kind = 'n'
)

// String names the kind as errors do.
func (k kind) String() string {
	switch k {
	case objectKind:
		return "an object"
	case arrayKind:
		return "an array"
	case stringKind:
		return "a string"
	case numberKind:
		return "a number"
	case nullKind:
		return "null"
	}
	return "a boolean"
}

// tree is a JSON text and where its values are: node 0 is the whole, and each value
// is followed by what it contains.
type tree struct {
	text  string
	nodes []node
	faults
}

// node is one value.
type node struct {
	kind       kind
	escaped    bool   // it is a string with a backslash
	name       string // of the member, if up is an object
	up         int    // the array or object that holds it
	next       int    // the first node that is not part of it
	start, end int    // its text
}

// children yields the elements or the members of node i.
func (t *tree) children(i int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for child := i + 1; child < t.nodes[i].next; child = t.nodes[child].next {
			if !yield(child) {
				return
			}
		}
	}
}

// members returns the members of object i by name.
func (t *tree) members(i int) map[string]int {
	byName := make(map[string]int)
	for child := range t.children(i) {
		byName[t.nodes[child].name] = child
	}
	return byName
}

// raw returns the text of node i as it was written.
func (t *tree) raw(i int) string { return t.text[t.nodes[i].start:t.nodes[i].end] }

// pointer returns where node i is, by RFC 6901. Only faults ask, so it may count.
func (t *tree) pointer(i int) string {
	if i == 0 {
		return ""
	}
	n := &t.nodes[i]
	if t.nodes[n.up].kind == objectKind {
		return t.pointer(n.up) + "/" + keyward.EscapePointer(n.name)
	}
	index := 0
	for child := n.up + 1; child < i; child = t.nodes[child].next {
		index++
	}
	return t.pointer(n.up) + "/" + strconv.Itoa(index)
}

// fault notes that node i is wrong.
func (t *tree) fault(i int, format string, args ...any) {
	if len(t.Faults) < maxFaults {
		t.add(t.pointer(i), format, args...)
	}
}

// parseTree reads one JSON text (RFC 8259). What cannot be read on from is the error;
// members that come twice, lone surrogates and NUL are faults of the tree.
func parseTree(data []byte) (*tree, error) {
	if !utf8.Valid(data) {
		return nil, unreadable("is not UTF-8")
	}
	p := &parser{tree: tree{text: string(data)}}
	if strings.HasPrefix(p.text, "\uFEFF") {
		return nil, unreadable("begins with a byte order mark")
	}
	p.space()
	if p.pos == len(p.text) {
		return nil, unreadable("is empty")
	}
	if err := p.value(0, "", 0); err != nil {
		return nil, err
	}
	if p.pos < len(p.text) {
		return nil, p.expected("the end")
	}
	return &p.tree, nil
}

func unreadable(format string, args ...any) error {
	var f keyward.Faults
	f.Add("", "the body "+format, args...)
	return f.Err()
}

// checkTwins notes members of object i that have the same name.
func (t *tree) checkTwins(i int) {
	const few = 12 // up to which comparing all is cheaper than a map
	var first [few]int
	var seen map[string]bool
	count := 0
	for child := range t.children(i) {
		name := t.nodes[child].name
		twin := seen[name]
		for _, other := range first[:min(count, few)] {
			twin = twin || t.nodes[other].name == name
		}
		if twin {
			t.fault(child, "is given more than once")
			continue
		}
		if count < few {
			first[count] = child
		} else {
			if seen == nil {
				seen = make(map[string]bool)
			}
			seen[name] = true
		}
		count++
	}
}
