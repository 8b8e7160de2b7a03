#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# networks.sh [TEST...]: a run and its agents in network namespaces of their own, with delay and loss between
# them: 30 and 5,000 connections, clean, leaking, and nginx; and an agent that is lost. Needs root, and tc's
# netem or /dev/net/tun; takes a quarter of an hour. ./check has a part of it. What a case that fails has left
# is kept in build/failed.
set -euo pipefail
cd "$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")"
[ -x build/bin/slow-link ] || sh scripts/setup.sh test
mkdir -p build/failed
export SOAK_NETWORKS=whole SOAK_BIN=${SOAK_BIN:-$PWD/build/bin} SOAK_KEEP_FAILED=$PWD/build/failed
exec python3 -B tests/integration/test_networks.py "$@"
