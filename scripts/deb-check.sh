#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# deb-check.sh [FILE.deb]: installs the Debian package (that of package.sh) in a clean root of the suite that it was
# built on (SUITE: this machine's), runs soak there as an ordinary user, on its own server and on nginx, removes it,
# and looks for what is left. Needs root and mmdebstrap; is skipped, loudly, without them (exit 77). The last line is
# `deb-check: ok`.
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")

skip() {
    echo "deb-check: SKIPPED: $*" >&2
    exit 77
}
[ "$(id -u)" = 0 ] || skip "only root can make a root of its own"
command -v mmdebstrap >/dev/null || skip "mmdebstrap isn't installed"
package=${1:-$(sh "$root/scripts/package.sh" | grep '\.deb$')}

# shellcheck disable=SC1091 # every machine has its own
suite=${SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
components=main
! grep -q '^ID=ubuntu' /etc/os-release || components=main,universe

work=$(mktemp -d -t soak-deb-XXXXXX)
clean=$work/root
mounted=()
finish() {
    for folder in "${mounted[@]}"; do
        umount "$folder"
    done
    rm -rf --one-file-system "$work"
}
trap finish EXIT

fail() {
    echo "deb-check: FAILED: $*" >&2
    exit 1
}

# inside COMMAND: as root; as_user COMMAND: as the one who has no rights.
inside() {
    chroot "$clean" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive sh -ec "$1"
}
as_user() {
    chroot "$clean" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin HOME=/home/someone LC_ALL=C.UTF-8 \
        setpriv --reuid someone --regid someone --clear-groups sh -ec "cd && $1"
}
step() {
    echo "deb-check: $*"
}

step "a root of $suite"
mmdebstrap --quiet --variant=apt --mode=root --components="$components" "$suite" "$clean"
mount -t proc proc "$clean/proc"
mounted+=("$clean/proc")
inside 'useradd --create-home someone; apt-get update -qq'
# Files alone: a folder that others share may stay.
list() {
    inside "find / -xdev \( -path /proc -o -path /tmp -o -path /home -o -path /var/log -o -path /var/cache \
        -o -path /var/lib/apt -o -path /var/lib/dpkg \) -prune -o ! -type d -print" | sort
}
list >"$work/before"

step "installs with its dependencies"
cp "$package" "$clean/tmp/soak.deb"
inside 'apt-get install -qq -y --no-install-recommends /tmp/soak.deb >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; false; }'
[ "$(inside 'command -v soak')" = /usr/bin/soak ] || fail "there is no /usr/bin/soak"
as_user 'soak --version'
list >"$work/with"

step "a run on its own server"
as_user 'soak --conns 30 --churn 200/s --closed 4000' || fail "exit $?, 0 is expected"
as_user 'test -e .local/state/soak/runs/last/result.json' || fail "the run wasn't kept in the home"

step "a run on nginx"
inside 'apt-get install -qq -y --no-install-recommends nginx >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; false; }'
as_user 'soak run servers/nginx --churn 200/s --closed 3000 --quiet' || fail "exit $?, 0 is expected"
as_user 'soak doctor --churn 200/s' || fail "exit $?, 0 is expected"

step "removal leaves nothing"
inside 'apt-get purge -qq -y soak >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; false; }'
left=$(inside 'find / -xdev \( -path /proc -o -path /home -o -path /tmp \) -prune -o -name "*soak*" -print')
[ -z "$left" ] || fail "these are left: $left"
list >"$work/after"
comm -13 "$work/before" "$work/with" | grep -F soak >"$work/installed" || fail "nothing of soak was installed"
left=$(comm -12 "$work/installed" "$work/after")
[ -z "$left" ] || fail "these files are left: $left"
echo "deb-check: ok"
