#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pictures.sh: makes the pictures of README and tutorial anew, in docs/images: the terminal in which a
# planted leak is found, and that leak's flame graph. To be run when what they show has changed, which
# tests/cli/test_entrance.py tells.
set -eu
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
cd "$root"
command='./soak --defect lost-state'
output=$(mktemp)
trap 'rm -f "$output"' EXIT

code=0
$command --color=always >"$output" || code=$?
if [ "$code" != 1 ]; then
    echo "pictures.sh: $command ended with $code instead of 1, a leak found" >&2
    exit 1
fi
mkdir -p docs/images
python3 scripts/terminal_svg.py "$command" <"$output" >docs/images/leak.svg
cp results/runs/last/survivors.svg docs/images/flame-graph.svg
chmod 644 docs/images/flame-graph.svg
