package main

import (
	"fmt"

	"keyward/internal/server"

	"github.com/spf13/cobra"
)

func auditCommand() *cobra.Command {
	return group("audit", "Look at the audit trail", verifyAuditCommand())
}

func verifyAuditCommand() *cobra.Command {
	var config server.Config
	cmd := &cobra.Command{
		Use: "verify", Short: "Check that the audit trail was not altered, on the server's own machine", Args: noArguments,
		Long: "Check the chain of the audit trail: that no event was altered, taken out or added\n" +
			"behind the server's back. It reads the database itself, whether the server runs\n" +
			"or not, and needs the master key.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := readEnvironment(cmd.Flags(), &config); err != nil {
				return err
			}
			events, err := server.VerifyAudit(cmd.Context(), config)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The audit trail is whole: %d events\n", events)
			return err
		},
	}
	databaseFlags(cmd.Flags(), &config)
	return cmd
}
