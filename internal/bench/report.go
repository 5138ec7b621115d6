package bench

import (
	"slices"
	"time"
)

// Report is everything that a run found. Its JSON form is documented in
// docs/benchmarks.md.
type Report struct {
	Command     string    `json:"command"` // what was run
	Version     string    `json:"version"` // of Keyward
	StartTime   time.Time `json:"startTime"`
	Seconds     float64   `json:"seconds"` // that the whole run took
	Machine     Machine   `json:"machine"`
	Rounds      int       `json:"rounds"`
	Duration    string    `json:"duration"` // of each measurement
	Connections int       `json:"connections"`
	Rows        []Row     `json:"rows"`
	Goals       []Goal    `json:"goals"`
}

// Row is what was measured of one thing.
type Row struct {
	Part string `json:"part"` // of the bench
	Name string `json:"name"`
	Keys int    `json:"keys,omitempty"` // that the server had
	// Note says why there are no figures, or what to know about them.
	Note    string   `json:"note,omitempty"`
	Figures []Figure `json:"figures"`
}

// Figure is one quantity, as the rounds found it.
type Figure struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// The names of the figures.
const (
	rate   = "rate"
	cpu    = "CPU"
	later  = "CPU later"
	p50    = "p50"
	p99    = "p99"
	perOp  = "time"
	allocs = "allocations"
	ready  = "start to ready"
	memory = "memory"
	loaded = "memory under load"
	binary = "binary"
)

// units of the figures.
var units = map[string]string{
	rate: "/s", cpu: "µs", p50: "ms", p99: "ms", perOp: "ns", allocs: "", ready: "ms",
	memory: "MB", loaded: "MB", binary: "MB",
}

// trial is one round's figures by name.
type trial map[string]float64

// newRow makes a row of the figures that the trials have in common.
func newRow(part, name string, keys int, trials []trial) Row {
	row := Row{Part: part, Name: name, Keys: keys, Figures: []Figure{}}
	for _, figure := range figureOrder {
		var values []float64
		for _, t := range trials {
			if value, ok := t[figure]; ok {
				values = append(values, value)
			}
		}
		if len(values) == 0 || len(values) < len(trials) {
			continue
		}
		row.Figures = append(row.Figures, Figure{
			Name: figure, Unit: units[figure], Median: median(values), Min: slices.Min(values), Max: slices.Max(values),
		})
	}
	return row
}

// figureOrder is the order of columns.
var figureOrder = []string{binary, ready, memory, loaded, rate, cpu, p50, p99, perOp, allocs}

// median returns the middle of values, or the mean of the two middle ones. It sorts them.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// figure returns the median of a figure.
func (r Row) figure(name string) (float64, bool) {
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Median, true
		}
	}
	return 0, false
}

// find returns a figure of a row, whose keys are not asked for if they are 0.
func (r *Report) find(part, name string, keys int, figure string) (float64, bool) {
	for _, row := range r.Rows {
		if row.Part == part && row.Name == name && (keys == 0 || row.Keys == keys) {
			return row.figure(figure)
		}
	}
	return 0, false
}
