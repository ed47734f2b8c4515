#!/usr/bin/env bash
# Checks of dashboards/, with node. The last line is `N passed, N failed`.
#
#   tests/dashboards/run.sh check                  the JSON, its PromQL, its labels and types
#   tests/dashboards/run.sh story DATA [PICTURES]  every query of dashboards and rules, asked of what the lab's Prometheus
#                                                  kept of the story in DATA (UPLINK_STORY_KEEP); and pictures of them
set -euo pipefail
data=$(realpath -m "${2-.}")
pictures=${3:+$(realpath -m "$3")}
cd "$(dirname "$0")"
. ../../deploy/install.sh

install_node_packages
case "${1-}" in
  check) node check.mjs ;;
  story)
    # Without it the pictures are counted as skipped.
    [ -z "$pictures" ] || command -v chromium > /dev/null || install_packages chromium || true
    node story.mjs "$data" ${pictures:+"$pictures"}
    ;;
  *) sed -n '2,6s/^# \{0,1\}//p' run.sh; exit 2 ;;
esac
