#!/usr/bin/env bash
# The Debian packages: made, looked at by Debian's own tools, and with a SUITE put through their life in a fresh root.
# shellcheck disable=SC2317,SC1091,SC2013,SC2015,SC2016,SC2154  # checks are called by name
#
#   tests/packages.sh            makes them from build/ and checks them: lintian, units, manuals
#   tests/packages.sh SUITE      the same in a debootstrap root of SUITE (bookworm, trixie): install, run as the service's
#                                user, serve HTTPS to real clients, upgrade, remove, purge, and a newcomer's path in
#                                the lab; for another suite than this machine's it is built there first
#
# The last line is `N passed, N failed`. Needs root for a SUITE.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tests/root.sh
suite=${1-}

make_packages() {  # make_packages BUILD VERSION DIRECTORY
  (cd "$1" && cpack -G DEB -B "$3" -D CPACK_PACKAGE_VERSION="$2" -D CPACK_DEBIAN_PACKAGE_VERSION="$2") &&
    [ "$(find "$3" -maxdepth 1 -name '*.deb' | wc -l)" = 4 ]
}
lint() { lintian --fail-on error,warning --tag-display-limit 0 "$1"/*.deb; }
safe() {  # exposure of a unit, as systemd-analyze rates it from 0 to 10
  local exposure
  exposure=$(systemd-analyze security --no-pager --offline=true "$1" | sed -nE 's/.*exposure level for [^:]*: ([0-9.]+).*/\1/p')
  echo "exposure of $1: ${exposure:?}"
  awk -v x="$exposure" 'BEGIN { exit !(x <= 1.5) }'
}
manual() { [ -z "$(man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 > /dev/null | tee /dev/stderr)" ]; }
names_every_flag() {  # names_every_flag PAGE: of the program that it is for, subcommands included
  local program text flag flags command
  program=$(basename "${1%.*}")
  text=$(for command in '' 'keygen' 'check config' 'openvpn analyze' 'init' 'diagnose'; do
    # shellcheck disable=SC2086  # words of a command
    [ -n "$command" ] && [ "$program" != uplinktool ] || "build/bin/$program" $command --help
  done)
  flags=$(grep -oE '^  (-h,)?--[a-z.-]+' <<< "$text" | grep -oE '[a-z.-]+$' | sed 's/^--//' | sort -u)
  grep -qx version <<< "$flags" || { echo "--help of $program shows no flags"; return 1; }
  for flag in $flags; do
    grep -qE -- "Fl -$flag( |\$)" "$1" || { echo "$1 says nothing of --$flag"; return 1; }
  done
}
sound_script() { sh -n "$1" && ! grep -n '@[A-Z]*@' "$1"; }

if [ -z "$suite" ]; then
  check 'four packages are made' make_packages build 0.1.0 "$work/debs"
  check 'lintian finds nothing' lint "$work/debs"
  for unit in deploy/systemd/*.service; do check "$(basename "$unit") is exposed 1.5 at most" safe "$unit"; done
  for page in deploy/man/*; do
    check "manual $(basename "$page") has no warnings" manual "$page"
    check "and names every flag" names_every_flag "$page"
  done
  for script in build/deploy/uplink-*/{postinst,prerm,postrm}; do check "${script#build/deploy/} is sound" sound_script "$script"; done
  finish
fi

# --- in a root of SUITE
build_there() {
  . deploy/install.sh
  apt_in_root install "${BUILD_PACKAGES[@]}" file dpkg-dev || return
  compile_in_root bash -c 'cmake -S /src -B /build -G Ninja -DUPLINK_TESTS=OFF && cmake --build /build -j 2 &&
    cd /build && for v in old:0.1.0 new:0.1.1; do
      cpack -G DEB -B "/${v%%:*}" -D CPACK_PACKAGE_VERSION="${v#*:}" -D CPACK_DEBIAN_PACKAGE_VERSION="${v#*:}" || exit; done'
}
check "a root of $suite" new_root "$suite"
[ "$failed" = 0 ] || finish
if [ "$suite" = "$(. /etc/os-release && echo "$VERSION_CODENAME")" ]; then
  mkdir "$root/old" "$root/new"
  check 'packages of this machine' make_packages build 0.1.0 "$root/old"
  check 'the next version of them' make_packages build 0.1.1 "$root/new"
else
  check "programs and packages built on $suite" build_there
  # What was needed to build must not hide what the packages forgot to ask for.
  mv "$root/old" "$root/new" "$work/" || finish
  check "a fresh root of $suite" new_root "$suite"
  mv "$work/old" "$work/new" "$root/"
fi

is_there() { [ -e "$root$1" ]; }
is_gone() { [ ! -e "$root$1" ] && [ ! -L "$root$1" ]; }
debs() { (cd "$root" && find "$1" -maxdepth 1 -name '*.deb' -printf '/%p\n'); }
install_debs() {
  # shellcheck disable=SC2046  # one word a package
  apt_in_root install $(debs "$1")
}
owned() { [ "$(in_root stat -c '%U:%G %a' "$1")" = "$2" ]; }
# As systemd starts it: the service's user, no capability at all.
serves() {  # serves USER PORT PROGRAM ARGUMENT...
  local user=$1 port=$2 pid status=1
  shift 2
  setsid unshare -n --kill-child bash -c 'ip link set lo up; exec "$@"' - chroot "$root" setpriv --reuid "$user" --regid "$user" \
    --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@" &
  pid=$!
  for _ in $(seq 100); do
    kill -0 "$pid" || break
    nsenter -t "$pid" -n python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/-/healthy', timeout=2)" && status=0 && break
    sleep 0.2
  done
  kill -- "-$pid" "$pid" 2> /dev/null
  wait "$pid" 2> /dev/null
  return "$status"
}

check 'they install' install_debs old
for daemon in exporter reflector; do
  check "uplink_$daemon --version" in_root "uplink_$daemon" --version
  check "its user is there" in_root id "uplink-$daemon"
  check "its directory is its own" owned "/etc/uplink_$daemon" "root:uplink-$daemon 750"
  check "it is enabled" test -L "$root/etc/systemd/system/multi-user.target.wants/uplink-$daemon.service"
done
bash_completes() {
  in_root bash -c 'source "/usr/share/bash-completion/completions/$1"; COMP_WORDS=("$1" "$2"); COMP_CWORD=1; "_$1_completion"
    [ "${COMPREPLY[*]}" = "$3" ]' - "$@"
}
check 'bash completes the agent' bash_completes uplink_exporter --log.l --log.level
check 'bash completes the reflector' bash_completes uplink_reflector --log.l --log.level
check 'bash completes the tool' bash_completes uplinktool diag diagnose
for program in uplink_exporter uplink_reflector uplinktool; do
  check "zsh finds completions of $program" is_there "/usr/share/zsh/vendor-completions/_$program"
done
check 'the packaged configuration is good' in_root uplink_exporter --config.check --config.file=/etc/uplink_exporter/agent.yml
check 'the agent serves as its user, without a capability' serves uplink-exporter 10177 uplink_exporter --config.file=/etc/uplink_exporter/agent.yml
check 'a key' in_root sh -c 'umask 077; uplinktool keygen > /etc/uplink_reflector/gateways.key && chown uplink-reflector: /etc/uplink_reflector/gateways.key'
check 'the reflector serves as its user, without a capability' serves uplink-reflector 10178 uplink_reflector --config.file=/etc/uplink_reflector/reflector.yml
check "HTTPS clients of $suite" apt_in_root install python3 curl openssl prometheus
check 'and this tree in it' see_in_root "$PWD" /src
tests in_root /src/tests/browser/https_clients.py /usr/bin
echo '# mine' >> "$root/etc/uplink_exporter/agent.yml"
check 'they upgrade' install_debs new
check 'to the next version' in_root sh -c 'dpkg-query -W -f "\${Version}" uplink-exporter | grep -x 0.1.1'
check 'and keep what was edited' grep -q '# mine' "$root/etc/uplink_exporter/agent.yml"
check 'they are removed' apt_in_root remove uplink-exporter uplink-reflector uplink-common uplinktool
check 'with their programs' is_gone /usr/bin/uplink_exporter
check 'but not their configuration' is_there /etc/uplink_exporter/agent.yml
check 'they are purged' apt_in_root purge uplink-exporter uplink-reflector
check 'with their configuration' is_gone /etc/uplink_exporter
check 'but not a key that somebody made' is_there /etc/uplink_reflector/gateways.key
for daemon in exporter reflector; do
  check "no link of $daemon's unit stays" is_gone "/etc/systemd/system/multi-user.target.wants/uplink-$daemon.service"
done
tests tests/lab/newcomer.py "$root" /new
finish
