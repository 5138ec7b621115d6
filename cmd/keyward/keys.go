package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"strconv"
	"strings"

	"keyward"
	"keyward/client"

	"github.com/spf13/cobra"
)

func keysCommand() *cobra.Command {
	return group("keys", "Manage an organization's API keys",
		createKeyCommand(), listKeysCommand(), getKeyCommand(), rotateKeyCommand(), revokeKeyCommand())
}

// keyring is what all commands about keys have in common: whose keys they are, and
// where the server is.
type keyring struct {
	connection
	output
	organization string
}

func (k *keyring) flags(cmd *cobra.Command, quiet string) {
	cmd.Flags().StringVar(&k.organization, "org", "", "`id` of the organization, or KEYWARD_ORG")
	k.output.flags(cmd, quiet)
	k.connection.flags(cmd.Flags())
}

// do connects and hands call the organization.
func (k *keyring) do(cmd *cobra.Command, call func(kw *client.Client, organization string) error) error {
	if err := k.check(); err != nil {
		return err
	}
	organization := cmp.Or(k.organization, os.Getenv("KEYWARD_ORG"))
	if organization == "" {
		return &usageError{errors.New("which organization? Name it with --org or KEYWARD_ORG; `keyward orgs list` lists them")}
	}
	return k.connection.do(cmd, func(kw *client.Client) error { return call(kw, organization) })
}

func createKeyCommand() *cobra.Command {
	var k keyring
	var in newKey
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create a key and print its secret, this once", Args: oneArgument("the name"),
		Long: "Create a key and print its secret. It is shown this once.\n" + connectHelp,
		Example: "  keyward keys create ci --permission docs.read,reports.* --scope region=eu --expires 90d\n" +
			"  keyward keys create ci --permission docs.read --quiet > key.txt\n" +
			"  keyward keys create deployer --manage 'keys.*' --quiet\n" +
			`  keyward keys create ci --acl '[{"scope": {"region": ["eu"]}, "permissions": ["docs.read"]}]' -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := in.read(args[0])
			if err != nil {
				return err
			}
			return k.do(cmd, func(kw *client.Client, organization string) error {
				issued, err := kw.CreateKey(cmd.Context(), organization, key)
				if err != nil {
					return err
				}
				return k.printIssued(cmd, &issued)
			})
		},
	}
	in.flags(cmd.Flags())
	k.flags(cmd, "only the secret")
	return cmd
}

func rotateKeyCommand() *cobra.Command {
	var k keyring
	var overlap string
	cmd := &cobra.Command{
		Use: "rotate ID", Short: "Give a key a new secret and print it, this once", Args: oneArgument("the id of a key"),
		Long: "Give a key a new secret and print it. It is shown this once. The secrets that the\n" +
			"key has go on for the overlap, which is none if nothing is said.\n" + connectHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			span, err := keyward.ParseDuration(overlap)
			if err != nil {
				return &usageError{fmt.Errorf("--overlap %s", keyward.MessageOf(err))}
			}
			return k.do(cmd, func(kw *client.Client, organization string) error {
				issued, err := kw.RotateKey(cmd.Context(), organization, args[0], span)
				if err != nil {
					return err
				}
				return k.printIssued(cmd, &issued)
			})
		},
	}
	cmd.Flags().StringVar(&overlap, "overlap", "0s", "`time` that older secrets go on for, such as 24h, at most 30d")
	k.flags(cmd, "only the secret")
	return cmd
}

// printIssued prints a key with its new secret, as the server answers it. It is the
// place where secrets leave.
func (k *keyring) printIssued(cmd *cobra.Command, issued *client.Issued) error {
	secret := issued.Secret.Reveal()
	err := k.print(cmd.OutOrStdout(), result{
		value: struct {
			Key         keyward.Key         `json:"key"`
			Secret      string              `json:"secret"`
			Propagation keyward.Propagation `json:"propagation"`
		}{issued.Key, secret, issued.Propagation},
		quiet: []string{secret},
		table: append(keyTable(&issued.Key), pairs("secret", secret)...),
	})
	if err == nil && k.format == "table" && !k.quiet {
		fmt.Fprintln(cmd.ErrOrStderr(), "The secret is shown this once: keep it now.")
	}
	return err
}

func listKeysCommand() *cobra.Command {
	var k keyring
	var list listing
	cmd := &cobra.Command{
		Use: "list", Short: "List keys", Args: noArguments,
		Long: "List keys, in the order of creation.\n" + connectHelp,
		Example: "  keyward keys list --filter 'status:active;name:ci' --sort -createdTime\n" +
			"  keyward keys list --all -o json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return k.do(cmd, func(kw *client.Client, organization string) error {
				page, err := fetch(list.all, list.List,
					func(q client.List) (client.Page[keyward.Key], error) {
						return kw.KeysPage(cmd.Context(), organization, q)
					},
					func(q client.List) iter.Seq2[keyward.Key, error] {
						return kw.Keys(cmd.Context(), organization, q)
					})
				if err != nil {
					return err
				}
				return printPage(cmd, &k.output, page, keyRow,
					"ID", "NAME", "STATUS", "ENVIRONMENT", "HINT", "EXPIRES", "LAST USED")
			})
		},
	}
	list.flags(cmd.Flags(), "'status:active;name:ci'")
	k.flags(cmd, "only the ids")
	return cmd
}

func keyRow(key keyward.Key) []string {
	return []string{
		key.ID, key.Name, string(key.Status), string(key.Environment), key.Hint, key.ExpireTime.String(), key.LastUsedTime.String(),
	}
}

func getKeyCommand() *cobra.Command {
	var k keyring
	cmd := &cobra.Command{
		Use: "get ID", Short: "Show a key", Args: oneArgument("the id of a key"),
		Long: "Show a key.\n" + connectHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			return k.do(cmd, func(kw *client.Client, organization string) error {
				key, err := kw.Key(cmd.Context(), organization, args[0])
				if err != nil {
					return err
				}
				return k.print(cmd.OutOrStdout(), result{value: key, quiet: []string{key.ID}, table: keyTable(&key)})
			})
		},
	}
	k.flags(cmd, "only the id")
	return cmd
}

func revokeKeyCommand() *cobra.Command {
	var k keyring
	var reason string
	cmd := &cobra.Command{
		Use: "revoke ID", Short: "End a key for good", Args: oneArgument("the id of a key"),
		Long: "End a key for good. When the command has ended with 0 and named no node as\n" +
			"pending, nobody accepts the key any more.\n" + connectHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			return k.do(cmd, func(kw *client.Client, organization string) error {
				revoked, err := kw.RevokeKey(cmd.Context(), organization, args[0], reason)
				if err != nil {
					return err
				}
				if pending := revoked.Propagation.Pending; len(pending) > 0 {
					fmt.Fprintln(cmd.ErrOrStderr(), "Pending on", strings.Join(pending, ", "))
				}
				return k.print(cmd.OutOrStdout(), result{
					value: revoked, quiet: []string{revoked.Key.ID}, table: keyTable(&revoked.Key),
				})
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who look at the key later")
	k.flags(cmd, "only the id")
	return cmd
}

// keyTable shows a key. What only some keys have is left out where it is missing.
func keyTable(key *keyward.Key) table {
	t := pairs(
		"id", key.ID, "name", key.Name, "status", string(key.Status),
		"type", string(key.Type), "environment", string(key.Environment),
		"organization", key.OrganizationID, "hint", key.Hint, "versions", strconv.Itoa(len(key.Versions)),
		"acl", compact(key.ACL),
	)
	for _, row := range pairs(
		"management", compact(key.Management), "projects", strings.Join(key.ProjectIDs, " "),
		"allowed ips", strings.Join(key.AllowedIPs, " "), "owner", text(key.OwnerID), "rate limits", limitsText(key.RateLimits), "credits", creditsText(key.Credits),
		"metadata", string(key.Metadata),
		"starts", key.StartTime.String(), "expires", key.ExpireTime.String(),
		"revoked", key.RevokedTime.String(), "reason", text(key.RevokeReason), "last used", key.LastUsedTime.String(),
		"last used from", text(key.LastUsedIP),
	) {
		if row[1] != "" && row[1] != "[]" && row[1] != "{}" {
			t = append(t, row)
		}
	}
	return append(t, []string{"created", key.CreatedTime.String()})
}

// compact writes grants in one line, as --acl takes them.
func compact(grants []keyward.Grant) string {
	line, err := json.Marshal(grants)
	if err != nil {
		return err.Error()
	}
	return string(line)
}
