#!/bin/sh
# Installs what the tests need and this machine lacks: PostgreSQL's server programs, a C
# compiler for the race detector, Chromium for what people read in a browser, Node.js with
# npm for clients in JavaScript, and nginx, HAProxy and Caddy as gateways. Says nothing when
# nothing is missing.
set -eu

has_postgresql() {
	command -v initdb >/dev/null && command -v postgres >/dev/null && return
	for bin in /usr/lib/postgresql/*/bin; do
		[ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] && return
	done
	return 1
}

# A compiler without the C library's headers is no use to the race detector.
has_compiler() {
	command -v "${CC:-gcc}" >/dev/null &&
		echo '#include <stdlib.h>' | "${CC:-gcc}" -fsyntax-only -x c - 2>/dev/null
}

# Daemons are where not everybody's PATH leads.
has_daemon() {
	command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]
}

missing() {
	has_postgresql || echo postgresql
	has_compiler || echo gcc libc6-dev
	command -v chromium >/dev/null || echo chromium
	command -v node >/dev/null || echo nodejs
	command -v npm >/dev/null || echo npm
	has_daemon nginx || echo nginx-light
	has_daemon haproxy || echo haproxy
	command -v caddy >/dev/null || echo caddy
}

# give_up REASON ends the script and says what to install by hand.
give_up() {
	echo "setup-test: $1; the tests need PostgreSQL's server programs (initdb, postgres)," \
		"a C compiler, Chromium, Node.js, npm, nginx, HAProxy and Caddy." \
		"On Debian or Ubuntu, as root: apt-get install $packages" >&2
	exit 1
}

packages=$(missing | tr '\n' ' ')
[ -z "$packages" ] && exit

if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null; then
	as_root=sudo
else
	give_up "not root, and there is no sudo"
fi
command -v apt-get >/dev/null || give_up "there is no apt-get"

# The words of $as_root and $packages are meant to be split.
$as_root apt-get update || give_up "apt-get update failed"
$as_root env DEBIAN_FRONTEND=noninteractive \
	apt-get install -y --no-install-recommends $packages || give_up "apt-get install failed"
[ -z "$(missing)" ] || give_up "something is still missing"
