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

# Packages of npm go where the lock file says, and are fetched only where they are not there yet.
install_node_packages() {
  local attempt
  command -v npm > /dev/null || install_packages nodejs npm
  [ package-lock.json -nt node_modules/.installed ] || return 0
  for attempt in 1 2 3; do
    [ "$attempt" = 1 ] || sleep $((attempt * 5))
    npm ci --no-audit --no-fund > node.log 2>&1 && touch node_modules/.installed && rm -f node.log && return 0
  done
  tail -n 30 node.log >&2
  rm -f node.log
  echo 'npm could not install what package-lock.json lists (its last lines are above)' >&2
  return 1
}

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
