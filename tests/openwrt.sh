#!/usr/bin/env bash
# What the OpenWrt package's procd script makes of a uci configuration, with a reader of uci files in the place of
# OpenWrt's own functions.sh. The last line is `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
files=deploy/openwrt/files
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# The few functions that the script calls. A section is a type, a name and options; config_get sets a variable.
cat > "$work/functions.sh" << 'SH'
config_load() {
  SECTIONS='' n=0
  while read -r word first second; do
    first=${first#\'} first=${first%\'} second=${second#\'} second=${second%\'}
    case $word in
      config) n=$((n + 1)); section=${second:-anonymous$n}; SECTIONS="$SECTIONS $first:$section" ;;
      option) eval "CONFIG_${section}_$first=\$second" ;;
      list) eval "CONFIG_${section}_$first=\"\${CONFIG_${section}_$first-} \$second\"" ;;
    esac
  done < "$UCI/$1"
}
config_get() { eval "$1=\${CONFIG_$2_$3-}"; eval "[ -n \"\$$1\" ] || $1=\${4-}"; }
config_get_bool() { config_get "$@"; }
config_foreach() {
  local call=$1 type=$2 each
  shift 2
  for each in $SECTIONS; do [ "${each%%:*}" != "$type" ] || "$call" "${each#*:}" "$@"; done
}
config_list_foreach() { local each; eval "for each in \${CONFIG_$1_$2-}; do $3 \"\$each\"; done"; }
procd_open_instance() { :; }
procd_close_instance() { :; }
procd_set_param() { echo "$@"; }
procd_append_param() { echo "append $*"; }
SH

check() {  # check TITLE COMMAND...
  local title=$1
  shift
  if "$@" > "$work/log" 2>&1 < /dev/null; then
    passed=$((passed + 1)); echo "ok   $title"
  else
    failed=$((failed + 1)); echo "FAIL $title"; sed 's/^/     /' "$work/log"
  fi
}
# Starts the service of a uci configuration; busybox's sh is dash's kin.
start() { UCI=$1 UPLINK_CONFIG=$work/made.yml sh -c ". '$work/functions.sh'; . '$files/uplink_exporter.init'; start_service"; }
makes_good() { start "$1" && cat "$work/made.yml" && build/bin/uplinktool check config "$work/made.yml"; }

mkdir "$work/shipped" "$work/full"
cp $files/uplink_exporter.config "$work/shipped/uplink_exporter"
sed 's/^#\(config\|\t\)/\1/' $files/uplink_exporter.config > "$work/full/uplink_exporter"
check 'the script is sh' sh -n $files/uplink_exporter.init
check 'the shipped configuration becomes a good one' makes_good "$work/shipped"
check 'so does one with everything in it' makes_good "$work/full"
check 'uplinks with their marks' grep -qx '    fwmark: 0x100' "$work/made.yml"
check 'routes without a name' grep -qx '  - destination: "203.0.113.10"' "$work/made.yml"
check 'it listens where it is told to' bash -c "UCI='$work/full' UPLINK_CONFIG='$work/made.yml' sh -c '. $work/functions.sh; . $files/uplink_exporter.init; start_service' | grep -q 'append command --web.listen-address=127.0.0.1:10177'"
printf "config uplink 'a'\n\toption interface 'x\"}, {name: b, interface: y'\n" > "$work/full/uplink_exporter"
check 'a value stays a value' bash -c "UCI='$work/full' UPLINK_CONFIG='$work/made.yml' sh -c '. $work/functions.sh; . $files/uplink_exporter.init; start_service' > /dev/null; [ \"\$(grep -c name: '$work/made.yml')\" = 2 ]"
printf "config uplink_exporter 'main'\n\toption enabled '0'\n" > "$work/full/uplink_exporter"
check 'disabled is disabled' bash -c "[ -z \"\$(UCI='$work/full' UPLINK_CONFIG='$work/off.yml' sh -c '. $work/functions.sh; . $files/uplink_exporter.init; start_service')\" ]"
check 'capabilities are JSON' python3 -m json.tool $files/uplink_exporter.capabilities.json
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
