#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh SECONDS|short [TARGET...]: builds the fuzz targets of tests/fuzz with clang and runs each, or
# those that are named, for so long, or `short`: for a number of inputs that takes a few seconds. The
# corpora are made anew, the seed is always the same. What a target has found since stays in
# build-fuzz/found, and is tried first by the next run. Prints a line per target with how many inputs it
# has tried, the output of one that crashed, and last `N passed, N failed`. Exit 1 when one crashed. Skipped
# where clang or its libFuzzer is missing.
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
build=$root/build-fuzz
case ${1-} in
short) bound=(-runs=2000) ;;
*[!0-9]* | "")
    echo "usage: fuzz.sh SECONDS|short [TARGET...]" >&2
    exit 2
    ;;
*) bound=(-max_total_time="$1") ;;
esac
shift
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1

mkdir -p "$build"
cd "$root"
if ! echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
    clang -fsanitize=fuzzer -x c -o "$build/probe" - >"$build/build.log" 2>&1; then
    echo "SKIP fuzz: clang can't build for libFuzzer here (clang, libclang-rt-14-dev: scripts/needs.txt)"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
if ! { cmake --preset fuzz && cmake --build "$build" --parallel "$(nproc)" --target fuzzers; } >"$build/build.log" 2>&1; then
    tail -n 60 "$build/build.log"
    echo "0 passed, 1 failed"
    exit 1
fi
cd "$build"
rm -rf corpora
"$(command -v python3)" -B "$root/tests/fuzz/corpora.py" corpora bin

# one TARGET: its line, and its output if it crashed.
one() {
    local target=$1 log=logs/$1.log code=0 tried
    shift
    mkdir -p "found/$target" crashes logs
    "bin/fuzz-$target" "$@" -seed=1 -timeout=30 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="crashes/$target-" "found/$target" "corpora/$target" >"$log" 2>&1 || code=$?
    tried=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ "$code" = 0 ]; then
        echo "ok   fuzz.$target: ${tried:-0} inputs, 0 crashes"
    else
        echo "FAIL fuzz.$target: ${tried:-0} inputs, 1 crash"
        tail -n 60 "$log"
    fi
}
export -f one

[ $# -gt 0 ] || set -- corpora/*
printf '%s\n' "${@##*/}" | xargs -P "$(nproc)" -I {} bash -c 'one "$@"' one {} "${bound[@]}" | tee logs.txt
failed=$(grep -c '^FAIL fuzz\.' logs.txt || :)
echo "$(grep -c '^ok   fuzz\.' logs.txt || :) passed, $failed failed"
[ "$failed" = 0 ]
