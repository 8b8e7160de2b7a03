#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# setup.sh soak|run|test|lint|ci|package: makes the tree ready for a first look at ./soak's line, ./soak,
# ./check, the linters or package.sh; ci installs the programs that tests put under soak and that are
# large: without them those tests are skipped. Says one line per step on stderr, and how far the build
# is; the whole output goes to build/setup.log. Exit codes: 0 ready, 2 something is missing that only the
# user can install, 4 the build failed.
set -u
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
group=${1:?soak, run, test, lint, ci or package}
build=$root/build
log=$build/setup.log
needed="run $group"
every=10 # seconds between two words about a build that isn't watched
[ "$group" = lint ] && needed="run test lint"
[ "$group" = ci ] && needed="run test ci"
[ "$group" = package ] && needed="run package"
. "$root/scripts/fresh.sh"

say() {
    echo "soak: $*" >&2
}

# The Python that distribution packages install into, whatever else PATH offers.
system_python() {
    if [ -x /usr/bin/python3 ]; then
        echo /usr/bin/python3
    else
        echo python3
    fi
}

# Whether a command of that name is in PATH, or one of several, split at commas.
has_command() {
    for one in $(echo "$1" | tr , ' '); do
        command -v "$one" && return
    done
    return 1
}

present() {
    case $1 in
    command) has_command "$2" ;;
    module) pkg-config --exists "$2" ;;
    import) "$(system_python)" -c "import $2" ;;
    library) "$(system_python)" -c "import ctypes; ctypes.CDLL('$2')" ;;
    file) [ -e "$2" ] ;;
    esac >/dev/null 2>&1
}

# Prints the packages that are missing, each once.
missing_packages() {
    while read -r kind name package of; do
        case " $needed " in
        *" $of "*) present "$kind" "$name" || echo "$package" ;;
        esac
    done <<END | sort -u | tr '\n' ' ' | sed 's/ $//'
$(grep -v '^#' "$root/scripts/needs.txt")
END
}

# How apt-get can be run with the rights to install; fails when it can't.
privilege() {
    if [ "$(id -u)" = 0 ]; then
        echo env DEBIAN_FRONTEND=noninteractive
    elif sudo -n apt-get --version >/dev/null 2>&1; then
        echo sudo -n
    elif command -v sudo >/dev/null && [ -t 0 ] && [ -t 2 ]; then
        echo sudo
    else
        return 1
    fi
}

# Installs "$@". The package lists may be missing or stale, so a failure is tried again after an
# update.
apt_install() {
    # $with is a command with its arguments.
    # shellcheck disable=SC2086
    set -- $with apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
    "$@" </dev/null >>"$log" 2>&1 && return
    say "updating the package lists (apt-get update)"
    # shellcheck disable=SC2086
    $with apt-get -o DPkg::Lock::Timeout=300 update </dev/null >>"$log" 2>&1
    "$@" </dev/null >>"$log" 2>&1
}

# apt's own words name the package that can't be had; without them, all that are still missing.
blame_packages() {
    culprits=$(sed -n -e 's/^E: Unable to locate package //p' \
        -e "s/^E: Package '\(.*\)' has no installation candidate\$/\1/p" "$log" |
        sort -u | tr '\n' ' ' | sed 's/ $//')
    say "can't install ${culprits:-$1}: apt-get's words are in $log"
    exit 2
}

install_missing() {
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "missing, by their Debian names: $missing"
        exit 2
    fi
    if ! with=$(privilege); then
        say "needs packages that only root can install; run this once, then try again:"
        if command -v sudo >/dev/null; then
            echo "sudo apt-get install -y $missing" >&2
        else
            echo "su -c 'apt-get install -y $missing'" >&2
        fi
        exit 2
    fi
    say "installing $missing (apt-get; its words go to $log)"
    # A list of words.
    # shellcheck disable=SC2086
    apt_install $missing || blame_packages "$(missing_packages)"
    missing=$(missing_packages)
    [ -z "$missing" ] || blame_packages "$missing"
}

forget_configuration() {
    rm -rf "$build/CMakeCache.txt" "$build/CMakeFiles"
}

fail() {
    say "$1; the whole output is in $log"
    grep -m 3 -E '([Ee]rror|ERROR|Error at)[: ]' "$log" | sed 's/^/    /' >&2
    exit 4
}

# Tests that were once asked for stay asked for: ./soak must not leave ctest with old programs. So does
# SOAK_WERROR, of the environment.
configure_once() {
    cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release ${tests:+-DSOAK_TESTS=ON} \
        ${SOAK_WERROR:+"-DSOAK_WERROR=$SOAK_WERROR"} >>"$log" 2>&1
}

# A copied or moved tree brings a cache that names another folder, and a cache made before a package
# came may remember its absence: neither may stand in the way.
configure() {
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$build/CMakeCache.txt" 2>/dev/null)
    if [ -n "$home" ] && [ "$home" != "$root" ]; then
        say "build/ was configured for $home; configuring afresh"
        forget_configuration
    fi
    configure_once && return
    forget_configuration
    configure_once || fail "cmake could not configure the build"
}

# Says how far a build is: on a terminal in one line that is drawn again, elsewhere now and then.
say_progress() {
    now=$(date +%s)
    if [ -t 2 ]; then
        printf '\r\033[Ksoak: building %s: %s %%, %ss' "$what" "$percent" "$((now - begun))" >&2
    elif [ "$((now - said))" -ge "$every" ]; then
        say "building $what: $percent % after $((now - begun))s"
        said=$now
    fi
}

# Copies cmake's output into the log and follows its percentages.
follow() {
    begun=$(date +%s)
    said=$begun
    before=
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        case $line in
        '['*'%]'*) ;;
        *) continue ;;
        esac
        percent=${line#[}
        percent=${percent%%%*}
        percent=${percent##* }
        [ "$percent" = "$before" ] || say_progress
        before=$percent
    done
    [ -t 2 ] && printf '\r\033[K' >&2
}

build_targets() {
    set -- cmake --build "$build" --parallel "$(nproc 2>/dev/null || echo 2)"
    case $group in
    soak) set -- "$@" --target soak ;;
    run) set -- "$@" --target programs ;;
    esac
    rm -f "$build/.built"
    { "$@" 2>&1 && touch "$build/.built"; } | follow
    [ -e "$build/.built" ] || fail "the build failed"
}

# Runs that are under way on the programs of this build, one "PID WORDS" per line. A program that was
# built anew meanwhile reads "... (deleted)".
under_way() {
    find /proc/[0-9]* -maxdepth 1 -name exe \( -lname "$build/bin/soak" -o \
        -lname "$build/bin/soak (deleted)" \) 2>/dev/null | while IFS=/ read -r _ _ pid _; do
        words=$(tr '\n\0' ' \n' <"/proc/$pid/cmdline" 2>/dev/null | sed '1s|.*/||' | tr '\n' ' ' |
            tr -d '[:cntrl:]' | sed 's| $||')
        [ -z "$words" ] || echo "$pid $words"
    done
}

# What has been started keeps its programs and their names; what a suite starts next is the new build.
warn_of_runs() {
    under_way | while read -r pid words; do
        say "a run is under way (pid $pid: $words): it keeps the programs that it has started; those it starts from now on are built anew"
    done
}

# One set-up at a time: the other waits here and then finds everything done.
take_lock() {
    exec 9>"$build/.lock"
    command -v flock >/dev/null || return 0
    flock -n 9 && return
    say "another set-up is under way in $build; waiting for it (tail -f $log shows it; Ctrl-C gives up)"
    flock 9
}

if ! mkdir -p "$build" || ! [ -w "$build" ]; then
    say "can't write to $build, where soak is built"
    exit 2
fi
take_lock
case $group in
soak) fresh .first && exit 0 ;;
run) fresh .ready && exit 0 ;;
esac
[ "$group" = run ] || : >"$log" # of ./soak, the second part
install_missing
case $group in
lint | ci | package) exit 0 ;;
esac

tests=
[ "$group" = test ] && tests=yes
what=
case $group in
soak) what=soak ;;
run) what='server and client' ;;
test) what='all with the tests' ;;
esac
if [ "$group" = run ]; then
    say "building $what"
elif [ ! -e "$build/.ready" ]; then
    say "building $what (Release); Ctrl-C stops it, and the next call goes on from there"
elif ! fresh .ready; then
    warn_of_runs
    say "building what has changed"
fi
touch "$build/.started"
configure
build_targets
if [ "$group" = soak ]; then
    mv "$build/.started" "$build/.first"
    exit 0
fi
touch -r "$build/.started" "$build/.first"
mv "$build/.started" "$build/.ready"
