package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"keyward"

	"github.com/spf13/cobra"
)

// group returns a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: knownCommand, RunE: showHelp, DisableFlagsInUseLine: true}
	cmd.AddCommand(commands...)
	return cmd
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// knownCommand refuses what is no command of a group.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2 // edits, as cobra has it
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		return &usageError{fmt.Errorf("%s has no command %q: did you mean %s?", cmd.CommandPath(), args[0], strings.Join(similar, " or "))}
	}
	return &usageError{fmt.Errorf("%s has no command %q: `%[1]s --help` lists them", cmd.CommandPath(), args[0])}
}

// oneArgument demands a single argument, and that it is no secret: arguments are
// seen by other users of the machine, kept by the shell, and become part of URLs.
func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for _, arg := range args {
			if secretForm.MatchString(arg) {
				return &usageError{fmt.Errorf("%s takes %s, never a secret; this one was seen by the shell: "+
					"if it is in use, rotate it", cmd.CommandPath(), what)}
			}
		}
		if len(args) != 1 {
			return &usageError{fmt.Errorf("%s takes one argument, %s, but got %d", cmd.CommandPath(), what, len(args))}
		}
		return nil
	}
}

// secretForm finds generated secrets in text.
var secretForm = regexp.MustCompile(keyward.SecretPattern)

// scopeOf reads the values of --scope: for each dimension, its values.
func scopeOf(flags []string) (keyward.Scope, error) {
	scope := keyward.Scope{}
	for _, text := range flags {
		dimension, value, ok := strings.Cut(text, "=")
		if !ok || dimension == "" {
			return nil, &usageError{fmt.Errorf("--scope takes dimension=value, such as region=eu, not %q", text)}
		}
		scope[dimension] = append(scope[dimension], value)
	}
	return scope, nil
}

// grantsOf reads --acl. A grant must say its scope: one that was forgotten would be
// everywhere.
func grantsOf(text []byte) ([]keyward.Grant, error) {
	var in []struct {
		Scope       *keyward.Scope `json:"scope"`
		Permissions []string       `json:"permissions"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	const form = `[{"scope": {}, "permissions": ["docs.read"]}]`
	if err := decoder.Decode(&in); err != nil {
		return nil, &usageError{fmt.Errorf("--acl takes JSON such as %s: %w", form, err)}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, &usageError{fmt.Errorf("--acl takes JSON such as %s, and nothing after it", form)}
	}
	grants := make([]keyward.Grant, len(in))
	for i, g := range in {
		if g.Scope == nil {
			return nil, &usageError{fmt.Errorf("--acl: grant %d has no scope; {} is every scope", i+1)}
		}
		grants[i] = keyward.Grant{Scope: *g.Scope, Permissions: g.Permissions}
	}
	return grants, nil
}

// maxArgumentFile bounds what is read for one argument; the server takes no more.
const maxArgumentFile = 1 << 20

// textOrFile returns the value of a flag: itself, or what is in the file after "@".
func textOrFile(flag, value string) ([]byte, error) {
	path, ok := strings.CutPrefix(value, "@")
	if !ok {
		return []byte(value), nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, &usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxArgumentFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if len(text) > maxArgumentFile {
		return nil, &usageError{fmt.Errorf("%s: %s is larger than %d bytes", flag, path, maxArgumentFile)}
	}
	return text, nil
}
