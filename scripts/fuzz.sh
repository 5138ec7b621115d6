#!/bin/sh
# Runs every fuzz target in the tree, one after the other, each for the time given
# (30s unless said otherwise, 5m and so on), and stops at the first failure.
set -eu

time=${1:-30s}
cd "$(dirname "$0")/.."

grep -roE --include='*_test.go' '^func Fuzz[[:alnum:]_]+' . | sort |
	while IFS=: read -r file function; do
		target=${function#func }
		echo "$target in $(dirname "$file")"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$(dirname "$file")" </dev/null
	done
