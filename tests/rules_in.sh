#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2317  # checks are called by name
# The rules under the promtool and amtool of another Debian: what Debian 13 has instead of this machine's.
#
#   tests/rules_in.sh SUITE      a debootstrap root of SUITE (trixie) is made, prometheus installed there, nothing started
#
# The last line is `N passed, N failed`. Needs root.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
[ $# = 1 ] || { sed -n '3,7s/^# \{0,1\}//p' tests/rules_in.sh; exit 2; }
. tests/root.sh

inside() { in_root env -C /tree "$@"; }
check "a root of $1" new_root "$1"
check 'prometheus and prometheus-alertmanager are installed in it' apt_in_root install prometheus prometheus-alertmanager
[ "$failed" = 0 ] || finish
see_in_root "$PWD" /tree
inside promtool --version | head -n 1
check 'check rules' inside sh -c 'promtool check rules --lint=all rules/*.rules.yml'
for file in rules/tests/*.test.yml; do check "test rules $file" inside promtool test rules "$file"; done
check 'check config' inside promtool check config deploy/prometheus/prometheus.yml deploy/prometheus/central.yml deploy/prometheus/federation.yml
check 'check config --agent' inside promtool check config --agent deploy/prometheus/agent.yml
check 'amtool check-config' inside amtool check-config deploy/alertmanager/alertmanager.yml
finish
