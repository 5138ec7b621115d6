package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// output says how results are written.
type output struct {
	format string
	quiet  bool
}

// flags adds the flags; quiet says what --quiet prints.
func (o *output) flags(cmd *cobra.Command, quiet string) {
	formats := []string{"table", "json", "yaml"}
	cmd.Flags().StringVarP(&o.format, "output", "o", "table", "`format`: "+strings.Join(formats, ", "))
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print "+quiet)
	// The only failure is a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// check refuses formats that do not exist, before anything is done.
func (o *output) check() error {
	switch o.format {
	case "table", "json", "yaml":
		return nil
	}
	return &usageError{fmt.Errorf("--output must be table, json or yaml, not %q", o.format)}
}

// A result is what a command has to show.
type result struct {
	value any      // as the server's JSON
	quiet []string // the lines of --quiet
	table table
}

// print writes the result in the chosen way.
func (o *output) print(w io.Writer, r result) error {
	switch {
	case o.quiet:
		for _, line := range r.quiet {
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
		return nil
	case o.format == "json":
		return writeJSON(w, r.value)
	case o.format == "yaml":
		return writeYAML(w, r.value)
	}
	return r.table.write(w)
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// writeYAML writes what writeJSON would, members in the same order.
func writeYAML(w io.Writer, value any) error {
	var text bytes.Buffer
	if err := writeJSON(&text, value); err != nil {
		return err
	}
	decoder := json.NewDecoder(&text)
	decoder.UseNumber()
	document, err := yamlNode(decoder)
	if err != nil {
		return err
	}
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(document); err != nil {
		return err
	}
	return encoder.Close()
}

// yamlNode returns the next JSON value as YAML. Text that some reader of YAML would
// take for something else comes quoted.
func yamlNode(in *json.Decoder) (*yaml.Node, error) {
	token, err := in.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		return yamlContainer(in, token)
	case string:
		var node yaml.Node
		return &node, node.Encode(token)
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(token.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: token.String()}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(token)}, nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
}

// yamlContainer returns an object or an array whose opening was read.
func yamlContainer(in *json.Decoder, opening json.Delim) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	if opening == '{' {
		node = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	}
	for in.More() { // names and values alternate in an object, as they do in a node
		child, err := yamlNode(in)
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, child)
	}
	_, err := in.Token() // the end
	return node, err
}

// table is text in columns. The first row of a list is its head.
type table [][]string

// pairs returns a table of a name and a value in each row.
func pairs(cells ...string) table {
	var t table
	for i := 0; i+1 < len(cells); i += 2 {
		t = append(t, cells[i:i+2])
	}
	return t
}

func (t table) write(w io.Writer) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range t {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cells[i] = printable(cell); cell == "" {
				cells[i] = "-"
			}
		}
		if _, err := fmt.Fprintln(columns, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return columns.Flush()
}

// printable returns text without what could move a terminal's cursor or break a
// table.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}

// yes words a boolean.
func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
