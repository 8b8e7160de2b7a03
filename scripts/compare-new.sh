#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compares the OpenSSL that Debian has now with the one that it had when this last said something:
#   compare-new.sh [SUITE]     SUITE is sid, or another of Debian's
# Where they differ for the server, or one leaks, RESULTS/issue.md is the draft of an issue. Exit codes:
# 0 nothing new, or the same; 1 worse, as `soak compare`; 3 and 4 as there, and the next time tries again.
# In the environment: SOAK, the program (./soak); SCENARIO (smoke); STATE, the file that remembers the
# version (results/runs/openssl-SUITE); RESULTS, the folder for the comparison (results/runs/compare-new).
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
soak=${SOAK:-$root/soak}
suite=${1:-sid}
scenario=${SCENARIO:-smoke}
state=${STATE:-$root/results/runs/openssl-$suite}
results=${RESULTS:-$root/results/runs/compare-new}
if [ $# -gt 1 ] || ! [[ $suite =~ ^[a-z-]+$ ]]; then
    echo "usage: compare-new.sh [SUITE]" >&2
    exit 2
fi

# The last of the suite's that are in the cache is what it has today.
newest() {
    "$soak" libs add "debian:$suite" >&2
    "$soak" libs --json | jq -r --arg origin "debian:$suite" \
        '[.libs[] | select(.part == "openssl" and .origin == $origin)] | last | .name // empty'
}

draft() {
    echo "# OpenSSL $2 against $1: what changed for a server"
    echo
    echo "\`soak compare $scenario --openssl $1,$2\` exits with $3 ($(date -u +%F))."
    echo
    cat "$results/table.md"
    echo
    echo "Since which version: \`soak bisect $scenario --openssl $1..$2\`."
}

new=$(newest)
old=$(cat "$state" 2>/dev/null || true)
if [ -z "$new" ]; then
    echo "compare-new.sh: debian:$suite has no openssl" >&2
    exit 4
fi
mkdir -p "$results" "$(dirname -- "$state")"
if [ -z "$old" ] || [ "$old" = "$new" ]; then
    echo "openssl $new of debian:$suite: nothing to compare it with${old:+, it is the last}"
    echo "$new" >"$state"
    exit 0
fi
rm -f "$results"/{compare.json,table.md,issue.md}
status=0
"$soak" compare "$scenario" --openssl "$old,$new" --results "$results" --json="$results/compare.json" \
    --markdown="$results/table.md" || status=$?
# It broke before there was anything to tell.
[ -e "$results/compare.json" ] || exit "$status"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$results/table.md" >>"$GITHUB_STEP_SUMMARY"
outcome=$(jq -r '.outcome // empty' "$results/compare.json")
if [ "$status" != 0 ] || [ "$outcome" != same ]; then
    draft "$old" "$new" "$status" >"$results/issue.md"
fi
[ "$status" -gt 1 ] || echo "$new" >"$state"
exit "$status"
