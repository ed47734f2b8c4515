#!/usr/bin/env bash
# The page in a real Chromium against the lab. The last line is `N passed, N failed`.
#
#   tests/browser/run.sh install        what it needs; fails where that cannot be had
#   tests/browser/run.sh check [DIR]    plays it; keeps pictures of the page in DIR
#   tests/browser/run.sh pictures [DIR] the same, and draws those of the README anew (deploy/doc/page-*.webp)
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
  tail -n 5 node.log >&2
  rm -f node.log
  return 1
}

case "${1-}" in
  install) install_packages chromium && install_node_packages ;;
  check) exec /usr/bin/python3 page.py ${2:+--shots "$(realpath "$2")"} ;;
  pictures)
    install_packages webp
    shots=${2-}
    [ -n "$shots" ] || { shots=$(mktemp -d) && trap 'rm -rf "$shots"' EXIT; }
    /usr/bin/python3 page.py --shots "$shots"
    for scheme in light dark; do cwebp -quiet -m 6 -q 80 "$shots/portrait-$scheme.png" -o "../../deploy/doc/page-$scheme.webp"; done
    ;;
  *) sed -n '2,6s/^# \{0,1\}//p' run.sh; exit 2 ;;
esac
