#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# container-check.sh: builds packaging/Containerfile of HEAD with buildah, in a storage of its own, and runs soak there
# as the image's user. Where no registry has debian:12, mmdebstrap makes it. Needs root, buildah and mmdebstrap; is skipped,
# loudly, without them (exit 77). The last line is `container-check: ok`.
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")

skip() {
    echo "container-check: SKIPPED: $*" >&2
    exit 77
}
[ "$(id -u)" = 0 ] || skip "only root can make a root of its own"
for program in buildah mmdebstrap; do
    command -v "$program" >/dev/null || skip "$program isn't installed"
done

work=$(mktemp -d -t soak-container-XXXXXX)
# Neither a daemon nor namespaces: it works where both are forbidden, as in a container.
export BUILDAH_ISOLATION=chroot
build=(buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs)
finish() {
    "${build[@]}" rm --all >/dev/null || true
    rm -rf --one-file-system "$work"
}
trap finish EXIT

fail() {
    echo "container-check: FAILED: $*" >&2
    exit 1
}
step() {
    echo "container-check: $*"
}

base=docker.io/library/debian:12
step "a base of Debian"
if ! "${build[@]}" pull --quiet "$base" 2>"$work/pull.log"; then
    step "from its packages: $(tail -n 1 "$work/pull.log")"
    mmdebstrap --quiet --variant=minbase bookworm "$work/base.tar"
    empty=$("${build[@]}" from scratch)
    "${build[@]}" add --quiet "$empty" "$work/base.tar" / >/dev/null
    "${build[@]}" commit --quiet "$empty" "$base" >/dev/null
    "${build[@]}" rm "$empty" >/dev/null
fi

step "its image"
source=$work/source
git clone --quiet "$root" "$source"
"${build[@]}" bud --pull-never -t soak -f "$source/packaging/Containerfile" "$source" >"$work/build.log" 2>&1 ||
    { tail -n 30 "$work/build.log"; fail "it can't be built"; }
container=$("${build[@]}" from --pull-never localhost/soak)
install -d -o 1000 -g 1000 "$work/kept"
inside() {
    "${build[@]}" run --volume "$work/kept:/var/lib/soak" "$container" -- "$@"
}

[ "$(inside id -u)" = 1000 ] || fail "it runs as $(inside id)"
[ -z "$(inside sh -c 'command -v cc make git || true')" ] || fail "it has what only a build needs"
project=$(sed -n 's/^project(soak VERSION \([0-9.]*\).*/\1/p' "$source/CMakeLists.txt")
cmake -D "SOURCE=$source" -D "PROJECT=$project" -D "FOLDER=$work" -P "$source/cmake/version.cmake"
[ "$(inside soak --version | cut -d' ' -f2)" = "$(cat "$work/version.txt")" ] ||
    fail "it says $(inside soak --version), not $(cat "$work/version.txt")"

step "a run in it"
inside soak --conns 30 --churn 200/s --closed 4000 || fail "exit $?, 0 is expected"
[ -e "$work/kept/runs/last/result.json" ] || fail "the run isn't kept in the volume"
inside soak doctor --churn 200/s || fail "exit $?, 0 is expected"
echo "container-check: ok"
