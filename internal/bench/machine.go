package bench

import "runtime"

// Machine is what the figures depend on.
type Machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	Procs     int    `json:"gomaxprocs"`
	Memory    int64  `json:"memory"` // bytes
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
}

// machine describes this one.
func machine() Machine {
	processor, kernel, memory := system()
	return Machine{
		Processor: processor, Cores: runtime.NumCPU(), Procs: runtime.GOMAXPROCS(0), Memory: memory, Kernel: kernel,
		Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
	}
}
