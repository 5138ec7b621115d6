package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"keyward"
	"keyward/internal/server"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

func serveCommand() *cobra.Command {
	var config server.Config
	var logs logFlags
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the server", Args: noArguments,
		Long: "Run the server. Every flag can be given as an environment variable instead:\n" +
			"--public-url as KEYWARD_PUBLIC_URL, and so on. Secrets are never flags:\n" +
			"KEYWARD_MASTER_KEY and KEYWARD_ROOT_TOKEN, or KEYWARD_MASTER_KEY_FILE and\n" +
			"KEYWARD_ROOT_TOKEN_FILE with a path.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := readEnvironment(cmd.Flags(), &config); err != nil {
				return err
			}
			log, err := logs.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			config.Log, config.Version = log, version()
			garbage := newCollector()
			garbage.loading()
			s, err := server.Open(cmd.Context(), config)
			if err != nil {
				return err
			}
			garbage.settle()
			go garbage.follow(cmd.Context())
			greet(cmd.OutOrStdout(), s)
			return s.Run(cmd.Context())
		},
	}
	databaseFlags(cmd.Flags(), &config)
	f := cmd.Flags()
	f.StringVar(&config.Listen, "listen", "127.0.0.1:8080", "address of the API")
	f.StringVar(&config.OpsListen, "ops-listen", "127.0.0.1:8081", `address of metrics and profiles, "off" for none`)
	f.StringVar(&config.GRPCListen, "grpc-listen", "", "address of gRPC for Envoy, 127.0.0.1:8082 or unix:PATH; none if empty")
	f.StringVar(&config.VerifyListen, "verify-listen", "", "address of verification alone, as fast as it goes: host:port, or unix:PATH")
	f.StringVar(&config.TrustedProxies, "trusted-proxies", "", `addresses and CIDR blocks whose X-Forwarded-For is believed; "unix" for a UNIX socket`)
	f.StringVar(&config.PublicURL, "public-url", "", "base of links and issuer of tokens, such as https://keys.example.com")
	f.StringSliceVar(&config.Hosts, "host", nil, "serve a dialect at the root of a host name: rebilly=keys.example.com (repeatable)")
	f.StringVar(&config.AuthzRules, "authz-rules", "", "file that says what each route behind gateways takes, in YAML")
	f.StringVar(&config.TLSCert, "tls-cert", "", "file of the TLS certificate, in PEM")
	f.StringVar(&config.TLSKey, "tls-key", "", "file of the TLS certificate's key, in PEM")
	f.BoolVar(&config.InsecureHTTP, "insecure-http", false, "allow listening without TLS beyond this machine")
	f.StringVar(&logs.format, "log-format", "auto", "text, json, or auto: text on a terminal")
	f.StringVar(&logs.level, "log-level", "info", "debug, info, warn or error")
	return cmd
}

// databaseFlags are those of every command that opens the database itself.
func databaseFlags(f *pflag.FlagSet, config *server.Config) {
	f.StringVar(&config.Data, "data", "data", "directory of the database, the master key and the root token")
	f.StringVar(&config.Database, "database", "", "sqlite:PATH or postgres://… (default keyward.db in the data directory)")
}

// readEnvironment sets flags that were not given, and secrets, from the environment.
func readEnvironment(flags *pflag.FlagSet, config *server.Config) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "KEYWARD_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, ok := os.LookupEnv(name); ok && !f.Changed && f.Name != "help" {
			if err := flags.Set(f.Name, value); err != nil {
				failed = errors.Join(failed, &usageError{fmt.Errorf("%s: %w", name, err)})
			}
		}
	})
	if failed != nil {
		return failed
	}
	token, err := secretVariable("KEYWARD_ROOT_TOKEN")
	if err != nil {
		return err
	}
	config.RootToken = keyward.ForeignSecret(token)
	config.MasterKey = os.Getenv("KEYWARD_MASTER_KEY")
	config.MasterKeyFile = os.Getenv("KEYWARD_MASTER_KEY_FILE")
	if config.MasterKey != "" && config.MasterKeyFile != "" {
		return &usageError{errors.New("KEYWARD_MASTER_KEY and KEYWARD_MASTER_KEY_FILE are both set: unset one")}
	}
	return nil
}

// secretVariable reads a secret from a variable, or from the file that the variable
// with _FILE appended names.
func secretVariable(name string) (string, error) {
	value, path := os.Getenv(name), os.Getenv(name+"_FILE")
	if path == "" {
		return value, nil
	}
	if value != "" {
		return "", &usageError{fmt.Errorf("%s and %s_FILE are both set: unset one", name, name)}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(text)), nil
}

type logFlags struct{ format, level string }

// logger returns where the server's log goes.
func (l logFlags) logger(out io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.level)); err != nil {
		return nil, &usageError{fmt.Errorf("--log-level must be debug, info, warn or error, not %q", l.level)}
	}
	options := &slog.HandlerOptions{Level: level}
	file, isFile := out.(*os.File)
	switch {
	case l.format == "json", l.format == "auto" && !(isFile && term.IsTerminal(int(file.Fd()))):
		return slog.New(slog.NewJSONHandler(out, options)), nil
	case l.format == "text", l.format == "auto":
		return slog.New(slog.NewTextHandler(out, options)), nil
	}
	return nil, &usageError{fmt.Errorf("--log-format must be text, json or auto, not %q", l.format)}
}
