#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# package.sh [FOLDER]: builds the Debian package, the tarball, and in a repository their SPDX document, in FOLDER
# (build-package), and prints their paths. They come out the same byte for byte wherever and whenever they are
# built from a commit, with the same compiler and libraries (reproducible.sh).
set -eu
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
build=${1:-$root/build-package}

# The commit's time stands in the place of today's. Without a repository it is that of the changelog.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2>/dev/null || stat -c %Y "$root/CHANGELOG.md")
fi
export SOURCE_DATE_EPOCH
export TZ=UTC LC_ALL=C
umask 022

sh "$root/scripts/setup.sh" package >&2
cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr \
    -DSOAK_ZSH_FOLDER=share/zsh/vendor-completions >&2
cmake --build "$build" --parallel "$(nproc)" >&2
rm -f "$build"/soak[-_]*.deb "$build"/soak-*.tar.gz "$build"/soak-*.spdx.json
(cd "$build" && cpack >&2)
if [ -e "$root/.git" ]; then
    version=$(cat "$build/version.txt")
    python3 "$root/scripts/sbom.py" "$version" >"$build/soak-$version.spdx.json"
fi
ls "$build"/soak[-_]*.deb "$build"/soak-*.tar.gz "$build"/soak-*.spdx.json 2>/dev/null || true
