#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Packages HEAD in two folders, with another umask, time zone and language, and compares what comes out byte for
# byte. Exit 1 when something differs.
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
work=$(mktemp -d -t soak-reproducible-XXXXXX)
trap 'rm -rf "$work"' EXIT
commit=$(git -C "$root" rev-parse HEAD)

# package FOLDER: in a clone there, with its own name and depth.
package() {
    mkdir -p "$(dirname -- "$1")"
    git clone --quiet "$root" "$1"
    git -C "$1" checkout --quiet "$commit"
    sh "$1/scripts/package.sh" "$1/build-package" >/dev/null
}

(umask 022 && TZ=UTC package "$work/a")
(umask 077 && TZ=Asia/Kathmandu LANG=C.UTF-8 package "$work/another/and deeper/b")
status=0
for file in "$work"/a/build-package/soak[-_]*.{deb,tar.gz,spdx.json}; do
    name=$(basename -- "$file")
    if cmp "$file" "$work/another/and deeper/b/build-package/$name"; then
        echo "same  $(sha256sum "$file" | cut -c1-16)  $name"
    else
        status=1
    fi
done
exit "$status"
