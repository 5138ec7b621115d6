package main

import (
	"fmt"
	"iter"

	"keyward/client"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// listing says what of a list is wanted.
type listing struct {
	client.List
	all bool
}

// flags adds the flags; filter is an example of one.
func (l *listing) flags(f *pflag.FlagSet, filter string) {
	f.StringVar(&l.Filter, "filter", "", "only what matches the `filter`, such as "+filter)
	f.StringVar(&l.Sort, "sort", "", "`fields` to sort by, such as -createdTime,name")
	f.IntVar(&l.Limit, "limit", 0, "`number` of them at most, 1 to 1000 (default 100)")
	f.BoolVar(&l.all, "all", false, "everything, however much it is")
}

// fetch returns one page, or all of them as one.
func fetch[T, Q any](everything bool, query Q, page func(Q) (client.Page[T], error), all func(Q) iter.Seq2[T, error]) (client.Page[T], error) {
	if !everything {
		return page(query)
	}
	whole := client.Page[T]{Items: []T{}}
	for item, err := range all(query) {
		if err != nil {
			return whole, err
		}
		whole.Items = append(whole.Items, item)
	}
	return whole, nil
}

// printPage prints a page, the first cell of each row alone if it is to be quiet.
// Where a table leaves something out, it says so on the side.
func printPage[T any](cmd *cobra.Command, out *output, page client.Page[T], row func(T) []string, head ...string) error {
	r := result{value: page, table: table{head}}
	for _, item := range page.Items {
		cells := row(item)
		r.quiet = append(r.quiet, cells[0])
		r.table = append(r.table, cells)
	}
	if err := out.print(cmd.OutOrStdout(), r); err != nil {
		return err
	}
	if page.NextCursor != nil && out.format == "table" {
		fmt.Fprintln(cmd.ErrOrStderr(), "There are more: --all lists them too.")
	}
	return nil
}
