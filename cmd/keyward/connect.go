package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"keyward"
	"keyward/client"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// defaultURL is where `keyward serve` listens if nobody says otherwise.
const defaultURL = "http://127.0.0.1:8080"

// connection says which server a command talks to, and as whom.
type connection struct {
	url          string
	tokenFile    string
	insecureHTTP bool
}

// connectHelp is part of the help of every command that talks to a server.
const connectHelp = `
The server is the one at --url or KEYWARD_URL. The credential comes from the file
that --token-file names ("-" is standard input), from KEYWARD_TOKEN, or from the file
that KEYWARD_TOKEN_FILE names. It is never an argument, where other users of the
machine and the shell's history could see it.`

func (c *connection) flags(f *pflag.FlagSet) {
	f.StringVar(&c.url, "url", "", "`URL` of the server, or KEYWARD_URL (default "+defaultURL+")")
	f.StringVar(&c.tokenFile, "token-file", "", "`file` of the credential; --token is the same flag")
	f.BoolVar(&c.insecureHTTP, "insecure-http", false, "send the credential without TLS beyond this machine")
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "token" { // it takes a file as well
			name = "token-file"
		}
		return pflag.NormalizedName(name)
	})
}

// do connects, has call made, and words what went wrong so that it says what to do.
func (c *connection) do(cmd *cobra.Command, call func(*client.Client) error) error {
	address := cmp.Or(c.url, os.Getenv("KEYWARD_URL"), defaultURL)
	token, err := c.token(cmd.InOrStdin())
	if err != nil {
		return err
	}
	kw, err := client.New(address, token)
	if err != nil {
		return &usageError{err}
	}
	kw.InsecureHTTP = c.insecureHTTP
	err = call(kw)
	if errors.Is(err, client.ErrInsecure) {
		return &usageError{fmt.Errorf("%s; --insecure-http sends it nevertheless", explain(err))}
	}
	return advise(err)
}

// token returns the credential.
func (c *connection) token(stdin io.Reader) (keyward.Secret, error) {
	if c.tokenFile != "" {
		return secretFile("--token-file", c.tokenFile, stdin)
	}
	text, err := secretVariable("KEYWARD_TOKEN")
	if err != nil {
		return keyward.Secret{}, err
	}
	if text = strings.TrimSpace(text); text == "" {
		return keyward.Secret{}, &usageError{errors.New(
			"no credential: set KEYWARD_TOKEN, or name its file with --token-file; " +
				"the first server start wrote one to root-token in its data directory")}
	}
	return keyward.ForeignSecret(text), nil
}

// maxSecretFile bounds what is read where one secret is expected.
const maxSecretFile = 16 << 10

// secretFile reads a secret from a file, or from stdin if path is "-". The error does
// not repeat the path: it may be a secret that somebody passed in its place.
func secretFile(flag, path string, stdin io.Reader) (keyward.Secret, error) {
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			if cause, ok := errors.AsType[*fs.PathError](err); ok {
				err = cause.Err
			}
			return keyward.Secret{}, &usageError{fmt.Errorf("%s takes the path of a file: %w", flag, err)}
		}
		defer file.Close()
		in = file
	}
	return readSecret(flag, in)
}

// readSecret reads one secret, without the space around it.
func readSecret(what string, in io.Reader) (keyward.Secret, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxSecretFile+1))
	if err != nil {
		return keyward.Secret{}, fmt.Errorf("%s: %w", what, err)
	}
	secret := strings.TrimSpace(string(text))
	switch {
	case secret == "":
		return keyward.Secret{}, &usageError{fmt.Errorf("%s: nothing in it", what)}
	case len(text) > maxSecretFile, strings.ContainsAny(secret, "\r\n"):
		return keyward.Secret{}, &usageError{fmt.Errorf("%s: more than one line in it", what)}
	}
	return keyward.ForeignSecret(secret), nil
}

// advise adds to an error from the server, or about its absence, what to do.
func advise(err error) error {
	refused, ok := errors.AsType[*client.Error](err)
	if !ok {
		switch keyward.CodeOf(err) {
		case keyward.Unavailable:
			return fmt.Errorf("%s; `keyward serve` starts a server, --url or KEYWARD_URL names another one", explain(err))
		case keyward.Invalid: // refused before it was sent
			return &usageError{err}
		}
		return err
	}
	text := describe(refused)
	switch {
	case refused.Code == keyward.Unauthenticated:
		text += "; KEYWARD_TOKEN or --token-file must give an operator's credential of this server"
	case refused.Code == keyward.Forbidden:
		text += "; use the credential of somebody who may"
	case refused.Code == keyward.NotFound:
		text += "; check --org and the id, and whether the credential reaches that organization"
	case refused.Code == keyward.Unavailable:
		text += "; try again in a moment"
	case refused.Status >= http.StatusInternalServerError && refused.RequestID != "":
		text += fmt.Sprintf("; the server's log tells more, under request %s", refused.RequestID)
	}
	return errors.New(text)
}

// describe tells everything that the server found wrong.
func describe(refused *client.Error) string {
	if len(refused.Errors) < 2 {
		return refused.Detail
	}
	faults := make([]string, len(refused.Errors))
	for i, f := range refused.Errors {
		faults[i] = strings.TrimSpace(f.Pointer + " " + f.Detail)
	}
	return strings.Join(faults, "; ")
}
