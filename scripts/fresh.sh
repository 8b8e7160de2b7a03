# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# Sourced by ./soak and setup.sh; needs $root. Tells whether the built programs are younger than
# every file that goes into them. The stamp is as old as the start of its build, so an edit made
# during the build counts. Tests don't go into the programs and aren't looked at. `fresh .ready` tells
# it of all programs, `fresh .first` of soak alone, which is built before the others.
fresh() {
    stamp=$root/build/$1
    [ -e "$stamp" ] && [ -x "$root/build/bin/soak" ] || return 1
    changed=$(find "$root/CMakeLists.txt" "$root/cmake" "$root/src" "$root/server" \
        "$root/client" "$root/footprint" "$root/bench" -type f -newer "$stamp" -print -quit 2>/dev/null)
    [ -z "$changed" ]
}
