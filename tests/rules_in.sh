#!/usr/bin/env bash
# The rules under the promtool and amtool of another Debian: what Debian 13 has instead of this machine's.
#
#   tests/rules_in.sh SUITE      a debootstrap root of SUITE (trixie) is made, prometheus installed there, nothing started
#
# The last line is `N passed, N failed`. Needs root.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
[ $# = 1 ] || { sed -n '2,6s/^# \{0,1\}//p' tests/rules_in.sh; exit 2; }
passed=0 failed=0
roots=${UPLINK_ROOTS:-/var/tmp/uplink-roots}
root=$(mkdir -p "$roots" && mktemp -d "$roots/rules.XXXXXX")
trap 'rm -rf "$root"' EXIT

check() {  # check TITLE COMMAND...
  local title=$1 status=0
  shift
  "$@" > "$root.log" 2>&1 < /dev/null || status=$?
  if [ "$status" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  echo "$([ "$status" = 0 ] && echo 'ok  ' || echo FAIL) $title"
  [ "$status" = 0 ] || tail -n 60 "$root.log" | sed 's/^/     /'
  rm -f "$root.log"
}
inside() { chroot "$root" env -C /tree "$@"; }
install() {
  inside env DEBIAN_FRONTEND=noninteractive sh -c \
    'apt-get update && apt-get install -y --no-install-recommends prometheus prometheus-alertmanager'
}

check "a root of $1" tests/lab/debian_root.sh "$1" "$root"
mkdir "$root/tree" && cp -r rules deploy "$root/tree/"
check 'prometheus and prometheus-alertmanager are installed in it' install
inside promtool --version | head -n 1
check 'check rules' inside sh -c 'promtool check rules --lint=all rules/*.rules.yml'
for file in rules/tests/*.test.yml; do check "test rules $file" inside promtool test rules "$file"; done
check 'check config' inside promtool check config deploy/prometheus/prometheus.yml deploy/prometheus/central.yml deploy/prometheus/federation.yml
check 'check config --agent' inside promtool check config --agent deploy/prometheus/agent.yml
check 'amtool check-config' inside amtool check-config deploy/alertmanager/alertmanager.yml
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
