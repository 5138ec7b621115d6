package bench

import "fmt"

// Goal is what a run is held against. Measured is nil where it was not measured.
type Goal struct {
	Name     string   `json:"name"`
	Goal     string   `json:"goal"`
	Measured *float64 `json:"measured"`
	Unit     string   `json:"unit"`
	Result   string   `json:"result"` // passed, missed or not measured
}

// The results of a goal.
const (
	passed      = "passed"
	missed      = "missed"
	notMeasured = "not measured"
)

// at names a figure in a report.
type at struct {
	part, name string
	keys       int // 0: whatever there are
	figure     string
}

// aims are the goals: a figure, or its ratio to another, is at most or at least so much.
var aims = []struct {
	name  string
	of    at
	to    at // ratio; none if its part is empty
	least bool
	bound float64
	scale float64 // of what is measured; 0 is 1
	unit  string
}{
	{name: "engine, 1 M keys, 1 thread", of: at{"engine", "1 thread", 1_000_000, perOp}, bound: 1000, unit: "ns"},
	{name: "engine, 1 M keys, allocations", of: at{"engine", "1 thread", 1_000_000, allocs}, bound: 0.001},
	{name: "engine, 10 M keys, 1 thread", of: at{"engine", "1 thread", huge, perOp}, bound: 1300, unit: "ns"},
	{name: "verify: rate against bare net/http", of: at{"http", plainVerify, 0, rate}, to: at{"http", bareNetHTTP, 0, rate}, least: true, bound: 0.85, unit: "×"},
	{name: "verify: CPU against bare net/http", of: at{"http", plainVerify, 0, cpu}, to: at{"http", bareNetHTTP, 0, cpu}, bound: 1.2, unit: "×"},
	{name: "verify with everything on against plain: rate", of: at{"http", fullVerify, 0, rate}, to: at{"http", plainVerify, 0, rate}, least: true, bound: 0.85, unit: "×"},
	{name: "--verify-listen: rate against bare fasthttp", of: at{"http", fastVerify, 0, rate}, to: at{"http", bareFastHTTP, 0, rate}, least: true, bound: 0.85, unit: "×"},
	{name: "--verify-listen: rate against nginx", of: at{"http", fastVerify, 0, rate}, to: at{"http", staticNginx, 0, rate}, least: true, bound: 0.75, unit: "×"},
	{name: "--verify-listen, UNIX: rate against bare fasthttp", of: at{"socket", fastVerify, 0, rate}, to: at{"socket", bareFastHTTP, 0, rate}, least: true, bound: 0.85, unit: "×"},
	{name: "1 M keys: resident memory", of: at{"sizes", plainVerify, 1_000_000, loaded}, bound: 500, unit: "MB"},
	{name: "1 M keys: start to ready", of: at{"sizes", plainVerify, 1_000_000, ready}, bound: 5, scale: 1e-3, unit: "s"},
	{name: "10 M keys: resident memory", of: at{"sizes", plainVerify, huge, loaded}, bound: 4000, unit: "MB"},
	{name: "10 M keys: start to ready", of: at{"sizes", plainVerify, huge, ready}, bound: 60, scale: 1e-3, unit: "s"},
	{name: "flood of unknown keys: good p99 against without", of: at{"flood", flooded, 0, p99}, to: at{"flood", calm, 0, p99}, bound: 2, unit: "×"},
	{name: "flood of unknown keys: memory against before", of: at{"flood", theFlood, 0, loaded}, to: at{"flood", theFlood, 0, memory}, bound: 1.1, unit: "×"},
	{name: "durable creates against a bare writer: rate", of: at{"creates", keywardCreate, 0, rate}, to: at{"creates", bareWriter, 0, rate}, least: true, bound: 0.5, unit: "×"},
	{name: "idle: binary", of: at{"idle", "first start", 0, binary}, bound: 40, unit: "MB"},
	{name: "idle: resident memory", of: at{"idle", "first start", 0, memory}, bound: 60, unit: "MB"},
	{name: "idle: start to ready", of: at{"idle", "first start", 0, ready}, bound: 300, unit: "ms"},
}

// goals holds a report against the aims.
func goals(r *Report) []Goal {
	out := make([]Goal, len(aims))
	for i, aim := range aims {
		sign := "≤"
		if aim.least {
			sign = "≥"
		}
		out[i] = Goal{Name: aim.name, Goal: fmt.Sprintf("%s %g %s", sign, aim.bound, aim.unit), Unit: aim.unit, Result: notMeasured}
		value, ok := r.find(aim.of.part, aim.of.name, aim.of.keys, aim.of.figure)
		if ok && aim.to.part != "" {
			var base float64
			base, ok = r.find(aim.to.part, aim.to.name, aim.to.keys, aim.to.figure)
			ok = ok && base > 0 // CPU time is counted in ticks: a short run has none
			value /= base
		}
		if !ok {
			continue
		}
		if aim.scale != 0 {
			value *= aim.scale
		}
		out[i].Measured, out[i].Result = &value, missed
		if aim.least && value >= aim.bound || !aim.least && value <= aim.bound {
			out[i].Result = passed
		}
	}
	return out
}

// Missed returns the goals that were measured and missed, in words.
func (r *Report) Missed() []string {
	var words []string
	for _, g := range r.Goals {
		if g.Result == missed {
			words = append(words, fmt.Sprintf("%s: %s %s, goal %s", g.Name, number(*g.Measured), g.Unit, g.Goal))
		}
	}
	return words
}
