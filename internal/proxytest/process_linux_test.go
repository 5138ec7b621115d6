package proxytest_test

import "syscall"

// endWithParent has the kernel end a proxy when the test's process dies.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
