package bench

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	m := r.Machine
	text := &strings.Builder{}
	fmt.Fprintf(text, "%s\n", r.Command)
	fmt.Fprintf(text, "Keyward %s, %s, %.0f s\n", r.Version, r.StartTime.Format("2006-01-02 15:04 MST"), r.Seconds)
	fmt.Fprintf(text, "%s, %d cores, GOMAXPROCS %d, %.1f GiB, %s, %s\n", m.Processor, m.Cores, m.Procs, float64(m.Memory)/(1<<30), m.Kernel, m.Go)
	fmt.Fprintf(text, "%d rounds of %s, %d connections; median (least–greatest)\n", r.Rounds, r.Duration, r.Connections)
	for _, part := range Parts() {
		rows := slices.DeleteFunc(slices.Clone(r.Rows), func(row Row) bool { return row.Part != part })
		if len(rows) > 0 {
			writePart(text, part, rows)
		}
	}
	writeGoals(text, r.Goals)
	_, err := io.WriteString(w, text.String())
	return err
}

// writePart writes the rows of one part. Its columns are the figures that any row has.
func writePart(w io.Writer, part string, rows []Row) {
	var figures []string
	for _, name := range figureOrder {
		if slices.ContainsFunc(rows, func(row Row) bool { _, ok := row.figure(name); return ok }) {
			figures = append(figures, name)
		}
	}
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(columns, "\n%s\tkeys", strings.ToUpper(part))
	for _, name := range figures {
		fmt.Fprintf(columns, "\t%s", strings.TrimSpace(name+" "+units[name]))
	}
	fmt.Fprintln(columns)
	var notes []string
	for _, row := range rows {
		fmt.Fprintf(columns, "%s\t%s", row.Name, cmp.Or(strings.TrimPrefix(strconv.Itoa(row.Keys), "0"), "-"))
		for _, name := range figures {
			i := slices.IndexFunc(row.Figures, func(f Figure) bool { return f.Name == name })
			cell := "-"
			if i >= 0 {
				cell = row.Figures[i].String()
			}
			fmt.Fprintf(columns, "\t%s", cell)
		}
		fmt.Fprintln(columns)
		if row.Note != "" {
			notes = append(notes, row.Name+": "+row.Note)
		}
	}
	_ = columns.Flush() // into memory
	for _, note := range notes {
		fmt.Fprintf(w, "  %s\n", strings.Join(strings.Fields(note), " "))
	}
}

func writeGoals(w io.Writer, goals []Goal) {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "\nGOAL\tgoal\tmeasured\tresult")
	for _, g := range goals {
		value := "-"
		if g.Measured != nil {
			value = strings.TrimSpace(number(*g.Measured) + " " + g.Unit)
		}
		fmt.Fprintf(columns, "%s\t%s\t%s\t%s\n", g.Name, g.Goal, value, g.Result)
	}
	_ = columns.Flush() // into memory
}

// String returns the median, and the range if there is one.
func (f Figure) String() string {
	median, least, most := number(f.Median), number(f.Min), number(f.Max)
	if least == most {
		return median
	}
	return median + " (" + least + "–" + most + ")"
}

// number writes three digits, or all before the point.
func number(x float64) string {
	if math.Abs(x) < 0.0005 {
		return "0"
	}
	digits := max(0, 2-int(math.Floor(math.Log10(math.Abs(x)))))
	return strconv.FormatFloat(x, 'f', min(digits, 4), 64)
}
