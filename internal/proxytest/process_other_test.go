//go:build unix && !linux

package proxytest_test

import "syscall"

// endWithParent does nothing: only Linux tells a process of its parent's death.
func endWithParent(*syscall.SysProcAttr) {}
