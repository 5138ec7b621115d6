package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"keyward/internal/bench"

	"github.com/spf13/cobra"
)

const benchHelp = `Measure this program on this machine, against the least that a server could do.

It starts servers of its own on the loopback interface, with keys that it makes in a
temporary directory, and removes them. The parts:

  idle     a first start: size of the program, time until it is ready, memory
  http     verify on TCP, against bare net/http and fasthttp servers, and nginx if it is there
  socket   --verify-listen on a UNIX socket, against a bare fasthttp server
  flood    good traffic beside 20 000 unknown and malformed keys a second
  creates  durable creates, against a bare writer that commits in batches
  engine   verifications inside a process, by one thread and by all
  sizes    start, memory and verify with different numbers of keys

Figures are medians of the rounds, with the least and the greatest. CPU time and memory
are those of the server's process, and measured on Linux only. Nothing else should run
on the machine.`

func benchCommand() *cobra.Command {
	var options bench.Options
	var out output
	var file string
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure this program on this machine", Long: benchHelp, Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			if err := options.Check(); err != nil {
				return &usageError{err}
			}
			program, err := os.Executable()
			if err != nil {
				return err
			}
			options.Program, options.Version, options.Progress = program, version(), cmd.ErrOrStderr()
			options.Command = strings.Join(append([]string{"keyward"}, os.Args[1:]...), " ")
			report, err := bench.Run(cmd.Context(), options)
			if err != nil {
				return err
			}
			if file != "" {
				if err := writeReport(file, report); err != nil {
					return err
				}
			}
			if out.format == "table" && !out.quiet {
				return report.WriteTable(cmd.OutOrStdout())
			}
			return out.print(cmd.OutOrStdout(), result{value: report, quiet: report.Missed()})
		},
	}
	f := cmd.Flags()
	f.IntVar(&options.Rounds, "rounds", 5, "how often everything is measured")
	f.DurationVar(&options.Duration, "duration", 3*time.Second, "how long each measurement takes")
	f.IntVar(&options.Connections, "connections", 32, "connections that requests come over")
	f.IntSliceVar(&options.Keys, "keys", []int{1, 100_000, 1_000_000}, "how many keys a server has, in the parts that compare that")
	f.StringSliceVar(&options.Only, "only", nil, "measure only these `parts` (repeatable): "+strings.Join(bench.Parts(), ", "))
	f.BoolVar(&options.Huge, "huge", false, "measure 10 million keys too: takes long, and 20 GB in the directory for temporary files")
	f.BoolVar(&options.WRK, "wrk", false, "send requests over TCP with wrk, which must be installed")
	f.StringVar(&file, "json", "", "write the report as JSON to this `file` too")
	out.flags(cmd, "the goals that were missed, a line each")
	cmd.AddCommand(serveBareCommand(), prepareCommand())
	return cmd
}

func writeReport(path string, report *bench.Report) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("--json: %w", err)
	}
	defer func() {
		if failed := file.Close(); err == nil {
			err = failed
		}
	}()
	return writeJSON(file, report)
}

// serveBareCommand runs what the bench starts beside Keyward.
func serveBareCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve-bare", Short: "Run a bare server, as its standard input says", Args: noArguments, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return bench.ServeBare(cmd.Context(), cmd.InOrStdin()) },
	}
}

func prepareCommand() *cobra.Command {
	var dir string
	var size int
	cmd := &cobra.Command{
		Use: "prepare", Short: "Make a data directory with many keys", Args: noArguments,
		Long: "Make a data directory with many keys in one organization, to measure a server with\n" +
			"other programs. Beside the database and its master key it holds root-token,\n" +
			"verifier-token (an operator who only verifies) and secrets (a line for each key).",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if size < 1 {
				return &usageError{fmt.Errorf("--keys must be at least 1, not %d", size)}
			}
			w, err := bench.Prepare(cmd.Context(), dir, size)
			if err != nil {
				return err
			}
			return w.WriteSecrets()
		},
	}
	cmd.Flags().StringVar(&dir, "data", "data", "data directory to make")
	cmd.Flags().IntVar(&size, "keys", 100_000, "how many keys")
	return cmd
}
