#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize.sh address|thread [short]: builds everything without jemalloc under AddressSanitizer with
# UndefinedBehaviorSanitizer, or under ThreadSanitizer, and runs the unit and integration tests
# against it; `short` takes a few of the integration tests only. A report in any process fails its
# test. Prints a line per test program, the whole output of one that failed, and last
# `N passed, N failed`. Exit 1 when one failed.
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
kind=${1-}
tests='^(unit|integration)\.'
targets=(all)
if [ "${2-}" = short ]; then
    tests='^short\.'
    targets=(programs make-certs crash-at-free) # the unit tests are half of the build
fi

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
ctest --verbose --parallel $((3 * $(nproc))) -R "$tests" 2>&1 | python3 "$root/scripts/tally.py" check.log
