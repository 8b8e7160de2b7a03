#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every check of the source that isn't a test. Prints a line per check, the output of those that
# fail, and last `N passed, N failed`. Exit 1 when one failed. Uses the tracked files.
set -u
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
cd "$root" || exit 4
sh scripts/setup.sh lint || exit
passed=0
failed=0
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

format() {
    git ls-files -z '*.c' '*.h' | xargs -0 clang-format --dry-run -Werror
}

static_analysis() {
    cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability \
        --inline-suppr --error-exitcode=1 --suppressions-list=scripts/cppcheck.txt \
        -D_GNU_SOURCE -I src/common -I src/soak -j 2 \
        src server client footprint bench
}

# As the build compiles them: a minute and a half of one processor.
analyzer() {
    sh scripts/setup.sh run && python3 scripts/analyze.py
}

shell_scripts() {
    shellcheck -x soak check .ci/run scripts/*.sh scripts/pre-commit examples/*/*.sh packaging/*/*.sh
}

# Everything, tests too, without a single warning.
strict_build() {
    local build=build-strict-$1
    CC=$1 cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DSOAK_TESTS=ON -DSOAK_WERROR=ON &&
        cmake --build "$build" --parallel "$(nproc)"
}

run format format
run floors python3 scripts/lint_floors.py
run size python3 scripts/lint_size.py
run circles python3 scripts/lint_circles.py
run spdx python3 scripts/lint_spdx.py
run cppcheck static_analysis
run shellcheck shell_scripts
# What else it says, and where, changes with each version.
if [ "$(cc -dumpversion)" = 12 ]; then
    run analyzer analyzer
else
    echo "skip lint.analyzer: scripts/analyzer.txt is of gcc 12's"
fi
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null && run "$compiler-werror" strict_build "$compiler"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
