#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh HOSTS ADDRESS:PORT [OPTIONS]: `soak run` on this machine, ADDRESS, with its load from an agent on each host of
# the file HOSTS, which GNU parallel starts over ssh. A host per line as ssh takes it, [USER@]HOST or
# `ssh -p PORT HOST`. OPTIONS are those of soak run, and the exit code is its own. Agents end with the run, or when
# this script does. In the environment: SOAK, the program on all machines (soak).
# The join token is made here for this run; it is no program's argument and in no file.
set -eu

usage() {
    echo "run.sh: $*; usage: run.sh HOSTS ADDRESS:PORT [OPTIONS]" >&2
    exit 2
}

[ $# -ge 2 ] || usage "HOSTS and ADDRESS:PORT are needed"
hosts=$1
join=$2
shift 2
[ -r "$hosts" ] || usage "the file $hosts can't be read"
command -v parallel >/dev/null || usage "GNU parallel is needed (package parallel)"
count=$(grep -c '^[^#]' "$hosts" || :)
[ "$count" -gt 0 ] || usage "$hosts names no host"
twice=$(grep '^[^#]' "$hosts" | sort | uniq -d)
[ -z "$twice" ] || usage "$hosts names $twice twice"

token=$(openssl rand -hex 32)
# In a session of its own: Ctrl-C is the run's alone, which ends its agents in order.
printf '%s\n' "$token" | setsid parallel --quote --pipe --tee --jobs 1 --sshloginfile "$hosts" --tag --line-buffer \
    "${SOAK:-soak}" agent --join "$join" --token-file - --wait 5m ::: $(seq "$count") >&2 &
agents=$!
trap 'kill "$agents" 2>/dev/null || :' EXIT
trap : INT
status=0
SOAK_JOIN_TOKEN=$token "${SOAK:-soak}" run "$@" --agents "$count" --agents-listen "$join" || status=$?
# What is refused never listens: nobody has to wait for it.
[ "$status" = 2 ] || wait "$agents" || echo "run.sh: $? of $count agents didn't end well" >&2
exit "$status"
