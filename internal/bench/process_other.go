//go:build !linux

package bench

import (
	"runtime"
	"syscall"
	"time"
)

// What /proc says on Linux is not measured elsewhere: rows lack those figures.

func ownGroup() *syscall.SysProcAttr { return nil }

func (p *process) cpu() (time.Duration, bool) { return 0, false }

func ownCPU() (time.Duration, bool) { return 0, false }

func (p *process) memory() (float64, bool) { return 0, false }

func system() (processor, kernel string, memory int64) { return runtime.GOARCH, runtime.GOOS, 0 }
