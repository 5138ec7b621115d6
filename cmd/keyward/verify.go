package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"keyward"
	"keyward/client"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// errNotValid ends a verification that was answered, but not with valid.
var errNotValid = errors.New("the key is not valid")

// question is what the flags of verify say.
type question struct {
	keyFile      string
	organization string
	environment  string
	permissions  []string
	scope        []string
	ip           string
	cost         int64
	dryRun       bool
	explain      bool
}

func verifyCommand() *cobra.Command {
	var server connection
	var out output
	var q question
	cmd := &cobra.Command{
		Use: "verify", Short: "Ask whether a key may do something", Args: noKeyArgument,
		Long: "Ask whether a key may do something. The key is read from the file that --key-file\n" +
			"names, from KEYWARD_KEY, or else from standard input; never from an argument.\n" +
			"The exit code is 0 only if the answer is valid, and 3 if it is another one.\n" + connectHelp,
		Example: "  keyward verify --permission docs.read < key.txt\n" +
			"  KEYWARD_KEY=$KEY keyward verify --permission docs.read,docs.write --scope region=eu --explain",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			asked, err := q.read()
			if err != nil {
				return err
			}
			if asked.Key, err = q.key(cmd.InOrStdin(), cmd.ErrOrStderr(), server.tokenFile == "-"); err != nil {
				return err
			}
			return server.do(cmd, func(kw *client.Client) error {
				verdict, err := kw.Verify(cmd.Context(), asked)
				if err != nil {
					return err
				}
				if err := out.print(cmd.OutOrStdout(), result{value: verdict, table: verdictTable(&verdict)}); err != nil {
					return err
				}
				if !verdict.Valid {
					return errNotValid
				}
				return nil
			})
		},
	}
	q.flags(cmd.Flags())
	out.flags(cmd, "nothing; the exit code is the answer")
	server.flags(cmd.Flags())
	return cmd
}

func (q *question) flags(f *pflag.FlagSet) {
	f.StringVar(&q.keyFile, "key-file", "", "`file` of the key, \"-\" for standard input")
	f.StringSliceVar(&q.permissions, "permission", nil, "`permission` that the key is to have; repeatable")
	f.StringArrayVar(&q.scope, "scope", nil, "where, as `dimension=value`; repeatable")
	f.StringVar(&q.ip, "ip", "", "`address` of the client that presented the key")
	f.StringVar(&q.organization, "org", "", "only a key of the organization with this `id`, or KEYWARD_ORG")
	f.StringVar(&q.environment, "environment", "", "only a key of this `name`: live, test or sandbox")
	f.Int64Var(&q.cost, "cost", 1, "what the use costs of rate limits and credits, as a `number`")
	f.BoolVar(&q.dryRun, "dry-run", false, "spend and count nothing")
	f.BoolVar(&q.explain, "explain", false, "list every check")
}

// noKeyArgument refuses arguments without repeating them: they are keys, most likely.
func noKeyArgument(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{fmt.Errorf("%s takes no arguments: other users can see them, so pass the key on standard input, "+
		"in a file with --key-file, or in KEYWARD_KEY", cmd.CommandPath())}
}

// read checks the flags and returns the question, but for the key.
func (q *question) read() (client.Question, error) {
	asked := client.Question{
		OrganizationID: cmp.Or(q.organization, os.Getenv("KEYWARD_ORG")), Environment: keyward.Environment(q.environment),
		Permissions: q.permissions, Cost: &q.cost, DryRun: q.dryRun, Explain: q.explain,
	}
	scope, err := scopeOf(q.scope)
	if err != nil {
		return asked, err
	}
	asked.Scope = make(map[string]string, len(scope))
	for dimension, values := range scope {
		if len(values) > 1 {
			return asked, &usageError{fmt.Errorf("--scope names %q twice: a request is in one place", dimension)}
		}
		asked.Scope[dimension] = values[0]
	}
	if q.ip == "" {
		return asked, nil
	}
	if asked.IP, err = netip.ParseAddr(q.ip); err != nil || asked.IP.Zone() != "" {
		return asked, &usageError{fmt.Errorf("--ip takes an address such as 203.0.113.9, not %q", q.ip)}
	}
	return asked, nil
}

// key returns the key to ask about. It asks the person at the terminal if there is
// no other source.
func (q *question) key(stdin io.Reader, stderr io.Writer, stdinTaken bool) (keyward.Secret, error) {
	if q.keyFile == "-" && stdinTaken {
		return keyward.Secret{}, &usageError{errors.New("--key-file and --token-file cannot both be standard input")}
	}
	if q.keyFile != "" {
		return secretFile("--key-file", q.keyFile, stdin)
	}
	if text := os.Getenv("KEYWARD_KEY"); text != "" {
		return readSecret("KEYWARD_KEY", strings.NewReader(text))
	}
	if stdinTaken {
		return keyward.Secret{}, &usageError{errors.New(
			"standard input holds the credential: pass the key in a file with --key-file, or in KEYWARD_KEY")}
	}
	file, isFile := stdin.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return readSecret("the key on standard input", stdin)
	}
	fmt.Fprint(stderr, "Key: ")
	typed, err := term.ReadPassword(int(file.Fd()))
	fmt.Fprintln(stderr)
	if err != nil {
		return keyward.Secret{}, fmt.Errorf("read the key: %w", err)
	}
	return readSecret("the key", strings.NewReader(string(typed)))
}

// verdictTable shows the answer, what it is about, and every check that was made.
func verdictTable(v *client.Verdict) table {
	t := pairs("valid", yes(v.Valid), "code", v.Code.String())
	if v.KeyID != "" {
		t = append(t, pairs(
			"key", v.KeyID, "name", v.Name, "version", strconv.Itoa(v.Version), "organization", v.OrganizationID,
			"type", string(v.Type), "environment", string(v.Environment), "owner", text(v.OwnerID),
			"expires", v.ExpireTime.String(),
		)...)
	}
	for _, a := range v.RateLimits {
		t = append(t, []string{"left of " + a.Name, fmt.Sprintf("%d of %d", a.Remaining, a.Limit)})
	}
	if v.Credits != nil {
		t = append(t, []string{"credits", strconv.FormatInt(v.Credits.Remaining, 10)})
	}
	for _, check := range v.Checks {
		outcome := "passed"
		if !check.Passed {
			outcome = "failed"
		}
		t = append(t, []string{"check " + check.Check.String(), outcome})
	}
	return t
}

// text returns what may be missing.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
