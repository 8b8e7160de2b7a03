#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh [deep]: every check of the source that isn't a test; `deep` those that take minutes, which the
# nightly job makes and no commit waits for. Prints a line per check, the output of those that fail, and
# last `N passed, N failed`, and how many were skipped. Exit 1 when one failed, 77 when all were skipped. Uses the
# tracked files.
set -u
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
cd "$root" || exit 4
part=${1:-each}
case $#$part in
0each | 1deep) ;;
*)
    echo "usage: lint.sh [deep]" >&2
    exit 2
    ;;
esac
sh scripts/setup.sh lint || exit
passed=0
failed=0
skipped=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

run() {
    local name=$1
    shift
    if "$@" >"$output" 2>&1; then
        echo "ok   lint.$name"
        passed=$((passed + 1))
    else
        echo "FAIL lint.$name"
        tail -n 60 "$output"
        failed=$((failed + 1))
    fi
}

skip() {
    echo "skip lint.$1: $2"
    skipped=$((skipped + 1))
}

format() {
    git ls-files -z '*.c' '*.h' | xargs -0 clang-format --dry-run -Werror
}

static_analysis() {
    cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability \
        --inline-suppr --error-exitcode=1 --suppressions-list=scripts/cppcheck.txt \
        -D_GNU_SOURCE -I src/common -I src/soak -j 2 \
        src server client footprint bench
}

# As the build compiles them: a minute and a half of one processor by gcc, a quarter of an hour by clang-tidy.
analyzed_by() {
    sh scripts/setup.sh run && python3 scripts/analyze.py "$1"
}

shell_scripts() {
    shellcheck -x soak check .ci/run scripts/*.sh scripts/pre-commit examples/*/*.sh packaging/*/*.sh
}

# Whether build/ is strict and has the tests, as .ci/run makes it, and by this compiler.
build_is_strict() {
    local cache=build/CMakeCache.txt cc
    cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$cache" 2>/dev/null)
    [ -n "$cc" ] && [ "$(readlink -f "$cc")" = "$(readlink -f "$(command -v "$1")")" ] &&
        grep -qx 'SOAK_WERROR:BOOL=ON' "$cache" && grep -qx 'SOAK_TESTS:BOOL=ON' "$cache"
}

# Everything, tests too, without a single warning. What gcc warns of depends on how it optimises; clang says
# the same when it doesn't, in half of the time.
strict_build() {
    local build=build-strict-$1 type=Release
    [ "$1" != clang ] || type=Debug
    if build_is_strict "$1"; then
        sh scripts/setup.sh test
        return
    fi
    CC=$1 cmake -S . -B "$build" -DCMAKE_BUILD_TYPE="$type" -DSOAK_TESTS=ON -DSOAK_WERROR=ON &&
        cmake --build "$build" --parallel "$(nproc)"
}

each() {
    local compiler
    run format format
    run floors python3 scripts/lint_floors.py
    run size python3 scripts/lint_size.py
    run circles python3 scripts/lint_circles.py
    run spdx python3 scripts/lint_spdx.py
    run cppcheck static_analysis
    run shellcheck shell_scripts
    for compiler in gcc clang; do
        if command -v "$compiler" >/dev/null; then
            run "$compiler-werror" strict_build "$compiler"
        else
            skip "$compiler-werror" "$compiler isn't installed"
        fi
    done
}

deep() {
    # What else they say, and where, changes with each version.
    if [ "$(cc -dumpversion)" = 12 ]; then
        run analyzer analyzed_by gcc
    else
        skip analyzer "scripts/analyzer.txt is of gcc 12's"
    fi
    if clang-tidy --version | grep -q 'version 14\.'; then
        run clang-tidy analyzed_by clang-tidy
    else
        skip clang-tidy "scripts/tidy.txt is of clang-tidy 14's"
    fi
}

"$part"
last="$passed passed, $failed failed"
[ "$skipped" = 0 ] || last="$last, $skipped skipped"
echo "$last"
[ "$failed" = 0 ] || exit 1
[ "$passed" != 0 ] || exit 77
