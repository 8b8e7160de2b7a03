#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the ledger costs, in instructions: the same TLS connections in memory with the ledger off and
# on, and with the call stacks of one site taken (no gate), counted by callgrind. Instructions repeat
# to 0.002 % where times differ by several per cent from run to run, so this can be a gate on a busy
# machine. Exit 1 above the limit; 77 (skipped) without valgrind.
# Usage: ledger-cost.sh PROGRAM [CONNECTIONS]
set -eu

program=$1
connections=${2:-20}
limit=1.02

if ! command -v valgrind >/dev/null; then
    echo "ledger-cost: skipped: valgrind isn't installed (package valgrind)" >&2
    exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints the instructions of the connections alone, without start-up.
count() {
    if ! valgrind --tool=callgrind --callgrind-out-file="$work/out" \
        --toggle-collect=ledger_cost_loop "$program" "$1" "$connections" >"$work/log" 2>&1; then
        cat "$work/log" >&2
        return 1
    fi
    awk '/^summary:|^totals:/ { print $2; exit }' "$work/out"
}

off=$(count off)
on=$(count on)
marked=$(count marked)
awk -v off="$off" -v on="$on" -v marked="$marked" -v n="$connections" -v limit="$limit" 'BEGIN {
    if (off <= 0 || on <= 0) {
        print "ledger-cost: callgrind counted nothing" > "/dev/stderr"
        exit 1
    }
    printf "ledger off  %12.0f instructions per connection\n", off / n
    printf "ledger on   %12.0f instructions per connection\n", on / n
    printf "one marked  %12.0f instructions per connection: %.4f of the ledger on\n", marked / n, marked / on
    printf "ratio       %12.4f (limit %s): %s\n", on / off, limit, on / off <= limit ? "ok" : "too much"
    exit on / off > limit
}'
