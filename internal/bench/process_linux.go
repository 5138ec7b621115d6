package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownGroup keeps an interrupt at the terminal for the bench, which stops its servers
// itself, and ends them if it is killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// tick is the unit of CPU time in /proc: proc(5) calls it the clock tick, which Linux
// shows as a hundredth of a second on all its platforms of today.
const tick = 10 * time.Millisecond

// family returns the process and the children that it has now, such as nginx's workers.
func (p *process) family() []int {
	pids := []int{p.cmd.Process.Pid}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[0]))
	for _, path := range tasks {
		text, _ := os.ReadFile(path)
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// cpu returns the user and system time that the process and its children have used.
func (p *process) cpu() (time.Duration, bool) {
	var sum time.Duration
	for _, pid := range p.family() {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, false
		}
		// The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 13 {
			return 0, false
		}
		for _, field := range fields[11:13] {
			ticks, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, false
			}
			sum += time.Duration(ticks) * tick
		}
	}
	return sum, true
}

// ownCPU returns the user and system time that this process has used.
func ownCPU() (time.Duration, bool) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, false
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), true
}

// memory returns the bytes of the process and its children that are resident (VmRSS).
func (p *process) memory() (float64, bool) {
	sum := 0.0
	for _, pid := range p.family() {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0, false
		}
		kilobytes, err := strconv.ParseFloat(strings.TrimSuffix(field(string(text), "VmRSS"), " kB"), 64)
		if err != nil {
			return 0, false
		}
		sum += kilobytes * 1024
	}
	return sum, true
}

// field returns the value of the first line "name: value" of a text.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// system returns the model of the processor, the name and version of the kernel, and
// the size of the memory in bytes.
func system() (processor, kernel string, memory int64) {
	cpus, _ := os.ReadFile("/proc/cpuinfo")
	processor = field(string(cpus), "model name")
	if processor == "" {
		processor = runtime.GOARCH
	}
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	kernel = "Linux " + strings.TrimSpace(string(release))
	info, _ := os.ReadFile("/proc/meminfo")
	kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(field(string(info), "MemTotal"), " kB"), 10, 64)
	return processor, kernel, kilobytes << 10
}
