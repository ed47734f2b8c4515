#!/usr/bin/env bash
# Checks of dashboards/, with node. The last line is `N passed, N failed`.
#
#   tests/dashboards/run.sh check          the JSON, its PromQL, its labels and types
set -euo pipefail
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
  *) sed -n '2,4s/^# \{0,1\}//p' run.sh; exit 2 ;;
esac
