#!/usr/bin/env bash
# The page in a real Chromium against the lab. The last line is `N passed, N failed`.
#
#   tests/browser/run.sh install        what it needs; fails where that cannot be had
#   tests/browser/run.sh check [DIR]    plays it; keeps pictures of the page in DIR
#   tests/browser/run.sh pictures [DIR] the same, and draws those of the README anew (deploy/doc/page-*.webp)
set -euo pipefail
shots=${2:+$(realpath -m "$2")}
cd "$(dirname "$0")"
. ../../deploy/install.sh

case "${1-}" in
  install) install_packages chromium && install_node_packages ;;
  check) exec /usr/bin/python3 page.py ${shots:+--shots "$shots"} ;;
  pictures)
    install_packages chromium webp && install_node_packages
    [ -n "$shots" ] || { shots=$(mktemp -d) && trap 'rm -rf "$shots"' EXIT; }
    /usr/bin/python3 page.py --shots "$shots"
    for scheme in light dark; do cwebp -quiet -m 6 -q 80 "$shots/portrait-$scheme.png" -o "../../deploy/doc/page-$scheme.webp"; done
    ;;
  *) sed -n '2,6s/^# \{0,1\}//p' run.sh; exit 2 ;;
esac
