#!/bin/sh
# Installs the real clients that internal/clienttest runs, at the versions of its lock
# file, none of whose own scripts are run. Says nothing when they are there already.
set -eu
cd "$(dirname "$0")/../internal/clienttest"

# npm leaves this file when it is done.
[ node_modules/.package-lock.json -nt package-lock.json ] &&
	[ node_modules/.package-lock.json -nt package.json ] && exit

command -v npm >/dev/null || {
	echo "setup-clients: there is no npm; scripts/setup-test.sh installs it" >&2
	exit 1
}
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 || {
	echo "setup-clients: npm ci failed in $PWD" >&2
	exit 1
}
