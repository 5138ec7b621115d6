package main

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"keyward"
	"keyward/client"

	"github.com/spf13/cobra"
)

// usageFlags say what of the usage is wanted.
type usageFlags struct {
	from, to, interval, by, key string
	limit                       int
	all                         bool
}

func usageCommand() *cobra.Command {
	var k keyring
	var in usageFlags
	cmd := &cobra.Command{
		Use: "usage", Short: "Show how often an organization's keys were verified", Args: noArguments,
		Long: "Show how many verifications there were, of the last 30 days if nothing is said.\n" +
			"Counts arrive some seconds after the answers.\n" + connectHelp,
		Example: "  keyward usage\n" +
			"  keyward usage --interval hour --from 24h --by key,reason\n" +
			"  keyward usage --key key_01kb3xa4j8p2v6z1d5g9m3r7tw --interval month --from 2026-01-01T00:00:00Z",
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := in.read(time.Now())
			if err != nil {
				return err
			}
			return k.do(cmd, func(kw *client.Client, organization string) error {
				page, err := fetch(in.all, query,
					func(q client.UsageQuery) (client.Page[keyward.UsageSum], error) {
						return kw.UsagePage(cmd.Context(), organization, q)
					},
					func(q client.UsageQuery) iter.Seq2[keyward.UsageSum, error] {
						return kw.Usage(cmd.Context(), organization, q)
					})
				if err != nil {
					return err
				}
				return printUsage(cmd, &k.output, query, page)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.from, "from", "", "only hours since this `time`, or for so long, such as 24h or 7d")
	f.StringVar(&in.to, "to", "", "only hours that begin before this `time`")
	f.StringVar(&in.interval, "interval", "", "`step` of time: hour, day or month, in UTC (default day)")
	f.StringVar(&in.by, "by", "", "`what` to tell apart: key, reason, or key,reason")
	f.StringVar(&in.key, "key", "", "only the key with this `id`")
	f.IntVar(&in.limit, "limit", 0, "`number` of lines at most, 1 to 1000 (default 100)")
	f.BoolVar(&in.all, "all", false, "everything, however much it is")
	k.flags(cmd, "only the counts")
	return cmd
}

// read returns what the flags ask for; spans of time end now.
func (u *usageFlags) read(now time.Time) (client.UsageQuery, error) {
	q := client.UsageQuery{KeyID: u.key, Interval: keyward.Interval(u.interval), Limit: u.limit}
	if secretForm.MatchString(u.key) {
		return q, &usageError{errors.New("--key takes the id of a key, never a secret; this one was seen by the shell: " +
			"if it is in use, rotate it")}
	}
	if u.interval != "" && !q.Interval.Valid() {
		return q, &usageError{fmt.Errorf("--interval must be hour, day or month, not %q", u.interval)}
	}
	for name := range strings.SplitSeq(u.by, ",") {
		switch name {
		case "":
		case "key":
			q.ByKey = true
		case "reason":
			q.ByReason = true
		default:
			return q, &usageError{fmt.Errorf("--by must be key, reason or key,reason, not %q", u.by)}
		}
	}
	var err error
	if q.From, err = ago(u.from, now); err != nil {
		return q, &usageError{fmt.Errorf("--from %s", keyward.MessageOf(err))}
	}
	if q.To, err = ago(u.to, now); err != nil {
		return q, &usageError{fmt.Errorf("--to %s", keyward.MessageOf(err))}
	}
	return q, nil
}

// ago reads an instant, or how long ago it was; "" is 0.
func ago(text string, now time.Time) (keyward.Time, error) {
	if text == "" {
		return 0, nil
	}
	if span, err := keyward.ParseDuration(text); err == nil {
		return keyward.TimeOf(now.Add(-time.Duration(span))), nil
	}
	at, err := keyward.ParseTime(text)
	if err != nil {
		err = keyward.Errorf(keyward.Invalid, "is neither a time such as 2026-01-31T09:30:00Z nor a span such as 24h or 7d")
	}
	return at, err
}

// printUsage prints a page, with a column for what is told apart.
func printUsage(cmd *cobra.Command, out *output, query client.UsageQuery, page client.Page[keyward.UsageSum]) error {
	row := func(count, time, key, reason string) []string {
		cells := []string{count, time}
		if query.ByKey {
			cells = append(cells, key)
		}
		if query.ByReason {
			cells = append(cells, reason)
		}
		return cells
	}
	return printPage(cmd, out, page, func(sum keyward.UsageSum) []string {
		return row(strconv.FormatInt(sum.Count, 10), sum.Time.String(), sum.KeyID, sum.Reason.String())
	}, row("COUNT", "TIME", "KEY", "REASON")...)
}
