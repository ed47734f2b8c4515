#!/usr/bin/env bash
# A newcomer's path in a fresh root of this machine's Debian, with the packages of build/: tests/lab/newcomer.py tells it.
# shellcheck disable=SC2317,SC1091,SC2154  # checks are called by name
#
#   tests/newcomer.sh
#
# The last line is `N passed, N failed`. Needs root.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tests/root.sh

packages() { (cd build && cpack -G DEB -B "$root/packages"); }
check "a fresh root" new_root "$(. /etc/os-release && echo "$VERSION_CODENAME")"
check "packages for it" packages
[ "$failed" = 0 ] || finish
tests tests/lab/newcomer.py "$root" /packages
finish
