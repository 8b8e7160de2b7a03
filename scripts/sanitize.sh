#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize.sh address|thread [short]: builds everything without jemalloc under AddressSanitizer with
# UndefinedBehaviorSanitizer, or under ThreadSanitizer, and runs the tests against it but for those with
# CTest's label `ordinary` and of what such a build hasn't; `short` takes a few of the integration tests
# only. A report in any process fails its test: it is a file of build-asan/reports or build-tsan/reports, whatever
# the test asks. The whole takes hours and may be stopped: each program
# that ended is in build-asan/journal.jsonl or build-tsan/journal.jsonl, and those that passed aren't run again
# (remove the journal to begin anew; CTEST_PARALLEL_LEVEL: how many at a time). Prints a line per
# test program, the whole output of one that failed, and last `N passed, N failed`, of which one that
# didn't end is one. Exit 1 when one failed.
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
kind=${1-}
how=${2-whole}

case $kind in
address)
    preset=asan
    # Freed blocks wait in quarantine; a small one doesn't drown the memory that is measured.
    export ASAN_OPTIONS=exitcode=99:detect_leaks=1:quarantine_size_mb=4
    export UBSAN_OPTIONS=print_stacktrace=1
    ;;
thread)
    preset=tsan
    export TSAN_OPTIONS=exitcode=99:halt_on_error=1
    ;;
*) how= ;;
esac
case $how in
whole) targets=(all) ;;
short) targets=(programs make-certs crash-at-free) ;; # the unit tests are half of the build
*)
    echo "usage: sanitize.sh address|thread [short]" >&2
    exit 2
    ;;
esac

build=$root/build-$preset
mkdir -p "$build"
cd "$root"
if ! { cmake --preset "$preset" && cmake --build "$build" --parallel "$(nproc)" --target "${targets[@]}"; } >"$build/build.log" 2>&1; then
    tail -n 60 "$build/build.log"
    echo "0 passed, 1 failed"
    exit 1
fi
cd "$build"
rm -rf reports
mkdir reports
export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$((3 * $(nproc)))}
if [ "$how" = short ]; then
    ctest --verbose -R '^short\.' 2>&1 | python3 "$root/scripts/tally.py" --reports reports check.log
    exit
fi
chosen=(-R '^(unit|integration|behaviours|faults|cli)\.' -LE '^ordinary$')
ctest -N "${chosen[@]}" | sed -n 's/^ *Test *#[0-9]*: //p' >programs.txt
passed=$(python3 "$root/scripts/sanitizers.py" passed journal.jsonl)
ctest --verbose "${chosen[@]}" -E "$passed" 2>&1 |
    python3 "$root/scripts/tally.py" --reports reports check.log journal.jsonl | sed -u '$d' || :
python3 "$root/scripts/sanitizers.py" sum journal.jsonl
