#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# coverage.sh [short] [--write]: builds everything so that it counts which of its lines run
# (build-coverage), runs the unit, integration, behaviour, fault, preload and cli tests against it, and
# prints line coverage per room and branch coverage of the judge; what may stay uncovered, and why, is
# in tests/coverage-left.txt. `short` runs the unit tests alone, and that is what the judge's branches are
# held to. --write puts the whole set's figures into results/coverage.md. Left out are the tests with CTest's
# label `ordinary`, which are about what this build isn't. The last line is `N passed, N failed`. Exit 1
# when a test failed or a figure is under its target.
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
build=$root/build-coverage
tests='^(unit|integration|behaviours|faults|preload|cli)\.'
judging=()
case ${1-} in
short)
    tests='^unit\.'
    judging=(--short)
    shift
    ;;
esac
case ${1-} in
'') ;;
--write) judging+=(--write) ;;
*)
    echo "usage: coverage.sh [short] [--write]" >&2
    exit 2
    ;;
esac

if ! command -v gcovr >/dev/null; then
    echo "coverage.sh: gcovr is missing (sh scripts/setup.sh ci installs it)" >&2
    exit 2
fi
mkdir -p "$build"
cd "$root"
if ! { cmake --preset coverage && cmake --build "$build" --parallel "$(nproc)"; } >"$build/build.log" 2>&1; then
    tail -n 60 "$build/build.log"
    echo "0 passed, 1 failed"
    exit 1
fi
find "$build" -name '*.gcda' -delete
# Tests that become another user count too: each file of counts is there already, empty, and all may write it.
find "$build" -name '*.gcno' | sed 's/gcno$/gcda/' | (umask 0 && xargs -d '\n' touch)
status=0
cd "$build"
ctest --verbose --parallel $((3 * $(nproc))) -R "$tests" -LE '^ordinary$' 2>&1 |
    python3 "$root/scripts/tally.py" check.log | tee tally.txt | sed -u '$d' || status=1
find "$build" -name '*.gcda' -empty -delete
gcovr --root "$root" --object-directory "$build" --filter "$root/src/" --filter "$root/server/" \
    --filter "$root/client/" -j "$(nproc)" --json coverage.json >gcovr.log 2>&1 ||
    { cat gcovr.log && status=1; }
python3 "$root/scripts/coverage.py" coverage.json "${judging[@]}" || status=1
tail -n 1 tally.txt
exit "$status"
