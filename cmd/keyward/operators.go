package main

import (
	"fmt"

	"keyward/internal/server"

	"github.com/spf13/cobra"
)

func operatorsCommand() *cobra.Command {
	return group("operators", "Manage who administers Keyward", resetRootCommand())
}

func resetRootCommand() *cobra.Command {
	var config server.Config
	cmd := &cobra.Command{
		Use: "reset-root", Short: "Give the root operator a new credential, on the server's own machine", Args: noArguments,
		Long: "Give the root operator a new credential: KEYWARD_ROOT_TOKEN if it is set, else a\n" +
			"generated one. It works on the database itself, whether the server runs or not,\n" +
			"and writes the credential to the file root-token in the data directory.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := readEnvironment(cmd.Flags(), &config); err != nil {
				return err
			}
			path, secret, err := server.ResetRoot(cmd.Context(), config)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The new root token, also in %s:\n\n  %s\n", path, secret.Reveal())
			return err
		},
	}
	databaseFlags(cmd.Flags(), &config)
	return cmd
}
