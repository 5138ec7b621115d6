package main

import (
	"iter"

	"keyward"
	"keyward/client"

	"github.com/spf13/cobra"
)

func organizationsCommand() *cobra.Command {
	return group("orgs", "Manage organizations, which own keys", createOrganizationCommand(), listOrganizationsCommand())
}

func createOrganizationCommand() *cobra.Command {
	var server connection
	var out output
	var in client.NewOrganization
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create an organization", Args: oneArgument("the name"),
		Long: "Create an organization.\n" + connectHelp,
		Example: "  keyward orgs create Acme\n" +
			"  export KEYWARD_ORG=$(keyward orgs create Acme --quiet)",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			in.Name = args[0]
			return server.do(cmd, func(kw *client.Client) error {
				o, err := kw.CreateOrganization(cmd.Context(), in)
				if err != nil {
					return err
				}
				return out.print(cmd.OutOrStdout(), result{value: o, quiet: []string{o.ID}, table: pairs(
					"id", o.ID, "public id", o.PublicID, "name", o.Name, "prefix", o.Prefix,
					"recoverable", yes(o.Recoverable), "enabled", yes(o.Enabled), "created", o.CreatedTime.String(),
				)})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.Prefix, "prefix", "", "`text` that secrets of its keys begin with (default "+keyward.DefaultPrefix+")")
	f.BoolVar(&in.Recoverable, "recoverable", false, "keep secrets, encrypted, so that they can be revealed; it never changes")
	f.StringVar(&in.PublicID, "public-id", "", "`id` of eight lower-case letters (default random ones)")
	out.flags(cmd, "only the id")
	server.flags(f)
	return cmd
}

func listOrganizationsCommand() *cobra.Command {
	var server connection
	var out output
	var list listing
	cmd := &cobra.Command{
		Use: "list", Short: "List organizations", Args: noArguments,
		Long: "List organizations, in the order of creation.\n" + connectHelp,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			return server.do(cmd, func(kw *client.Client) error {
				page, err := fetch(list.all, list.List,
					func(q client.List) (client.Page[keyward.Organization], error) {
						return kw.OrganizationsPage(cmd.Context(), q)
					},
					func(q client.List) iter.Seq2[keyward.Organization, error] {
						return kw.Organizations(cmd.Context(), q)
					})
				if err != nil {
					return err
				}
				return printPage(cmd, &out, page, organizationRow,
					"ID", "NAME", "PREFIX", "ENABLED", "RECOVERABLE", "CREATED")
			})
		},
	}
	list.flags(cmd.Flags(), "name:Acme")
	out.flags(cmd, "only the ids")
	server.flags(cmd.Flags())
	return cmd
}

func organizationRow(o keyward.Organization) []string {
	return []string{o.ID, o.Name, o.Prefix, yes(o.Enabled), yes(o.Recoverable), o.CreatedTime.String()}
}
