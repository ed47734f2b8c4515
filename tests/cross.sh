#!/usr/bin/env bash
# The unit tests on another machine: cross-compiled in a root of Debian 12, run in qemu's user emulation.
# shellcheck disable=SC2317,SC1091,SC2016,SC2046,SC2154  # checks are called by name; lists of words
#
#   tests/cross.sh arm64 [ROOM...]    what many gateways are; all rooms, and the Debian packages for it
#   tests/cross.sh s390x [ROOM...]    big-endian; the rooms that take octets apart
#
# The last line is `N passed, N failed`. Needs root. This machine is left without a foreign architecture.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
case "${1-}" in
  arm64) triplet=aarch64-linux-gnu emulator=qemu-aarch64-static ;;
  s390x) triplet=s390x-linux-gnu emulator=qemu-s390x-static ;;
  *) sed -n '2,8s/^# \{0,1\}//p' tests/cross.sh; exit 2 ;;
esac
machine=$1
shift
. deploy/install.sh
. tests/root.sh

rooms=("$@")
if [ $# = 0 ] && [ "$machine" = s390x ]; then
  rooms=(base config openvpn probe reflector route stamp stun uplink)
elif [ $# = 0 ]; then
  mapfile -t rooms < <(for room in tests/unit/*/; do compgen -G "$room*_test.cc" > /dev/null && basename "$room"; done)
fi

# What qemu's user emulation does not have, as a pattern of tests and the reason. Every other test has to pass.
unable=(
  'ProcessStats.TellsOfThisProcess:ProcessStats.CountsProcessorTime' "/proc/self/stat is one that the emulator makes up"
  'Service.ASessionStays*:Service.AFastSenders*:Service.CountsOverAllShards:ShardChoice.IsTheSsid*'
  'the emulator has no SO_ATTACH_REUSEPORT_CBPF'
  'BoundSocket.A*:BoundSocket.D*:BoundSocket.E*:BoundSocket.F*:BoundSocket.I*:BoundSocket.P*:BoundSocket.R*:BoundSocket.Ti*:BoundSocket.Tt*'
  'the emulator has neither SO_TIMESTAMPING nor SO_MARK'
  'ProbeRoute.A*:ProbeRoute.Cl*:ProbeRoute.F*:ProbeRoute.I*:ProbeRoute.M*:ProbeRoute.O*:ProbeRoute.P*:ProbeRoute.S*:ProbeRoute.U*:ProbeRoute.W*:MonitorTest.*'
  "the emulator passes on no rule of routing (RTM_NEWRULE), and has no SO_TIMESTAMPING"
)
[ "$machine" = arm64 ] || unable+=(
  'EventFilter.LetsThrough*:EventFilter.LosesNothing*:EventFilter.EveryRoute*:EventFilter.EverythingElse*:EventFilter.TooMany*'
  "the kernel of this machine looks for attributes (SKF_AD_NLATTR) in its own order of octets"
  'Interfaces.MultipathAndIpv6NextHops:Interfaces.TheSeeds*:ProbeRoute.CheckRoute*:RoutedGateways.OfEachNextHop'
  'the emulator does not turn every attribute of a route into this order of octets'
)

foreign_packages() {  # those that have something of the machine in them; the others serve every machine
  local package
  for package in "${BUILD_PACKAGES[@]}"; do
    case $package in
      g++ | cmake | ninja-build | pkg-config | ccache | nlohmann-json3-dev | libcli11-dev) ;;
      *) echo "$package:$machine" ;;
    esac
  done
}
install_foreign() {
  in_root dpkg --add-architecture "$machine" && apt_in_root update &&
    apt_in_root install "g++-$triplet" qemu-user-static cmake ninja-build pkg-config ccache nlohmann-json3-dev libcli11-dev \
      file dpkg-dev openssl iproute2 systemd-journal-remote prometheus nftables $(foreign_packages) &&
    mkdir -p "$root/dev/net" && mknod "$root/dev/net/tun" c 10 200
}
compile() {
  compile_in_root bash -c 'cmake -S /src -B /build -G Ninja -DCMAKE_TOOLCHAIN_FILE=/src/deploy/cross.cmake \
    -DUPLINK_MACHINE="$0" -DUPLINK_TESTS=ON && cmake --build /build -j 2 --target "$@"' "$machine" "${rooms[@]/#/unit_}"
}
is_foreign() { file -L "$root/build/bin/unit_${rooms[0]}" | grep -E 'ARM aarch64|IBM S/390' && [ "$(uname -m)" = x86_64 ]; }
packages() {
  in_root env CCACHE_DIR=/ccache cmake --build /build -j 2 &&  # all: so does cpack
    in_root bash -c 'cd /build && DEB_HOST_ARCH=$0 cpack -G DEB -B /packages && for deb in /packages/*.deb; do
      [ "$(dpkg-deb -f "$deb" Architecture)" = "$0" ] && dpkg-deb -f "$deb" Package Depends || exit; done' "$machine"
}
version() { in_root "$emulator" "/build/bin/$1" --version; }

emulated() {  # emulated ROOM: its tests are counted one by one
  local program=/build/bin/unit_$1 filter='-' log=$work/emulated status=0 ran bad i name
  for ((i = 0; i < ${#unable[@]}; i += 2)); do
    filter+=${unable[i]}:
    while read -r name; do echo "skip $name: ${unable[i + 1]}"; done < <(in_root "$emulator" "$program" --gtest_list_tests \
      --gtest_filter="${unable[i]}" | awk '/^[^ ].*\.$/ { suite = $1 } /^  / { print suite $1 }')
  done
  # A few days of virtual time are enough to see that they pass in the same way.
  in_root UPLINK_SIM_DAYS=2 "$emulator" "$program" --gtest_color=no --gtest_filter="$filter" > "$log" 2>&1 < /dev/null || status=$?
  ran=$(sed -nE 's/^\[  PASSED  \] ([0-9]+) tests?\..*/\1/p' "$log")
  bad=$(sed -nE 's/^\[  FAILED  \] ([0-9]+) tests?, listed below:.*/\1/p' "$log")
  [ "$status" = 0 ] || [ -n "$bad" ] || bad=1
  echo "$([ "${bad:-0}" = 0 ] && echo 'ok  ' || echo FAIL) unit_$1 on $machine: ${ran:-0} passed, ${bad:-0} failed, exit $status"
  [ "${bad:-0}" = 0 ] || grep -vE '^\[ +(OK|RUN)|^ts=' "$log" | tail -n 60 | sed 's/^/     /'
  passed=$((passed + ${ran:-0})) failed=$((failed + ${bad:-0}))
}

check 'a root of bookworm' new_root bookworm
check "a compiler and libraries for $machine" install_foreign
[ "$failed" = 0 ] || finish
check "unit tests compiled for $machine" compile
[ "$failed" = 0 ] || finish
check 'they are for another machine than this' is_foreign
for room in "${rooms[@]}"; do emulated "$room"; done
if [ "$machine" = arm64 ] && [ $# = 0 ]; then
  check "programs and packages for $machine" packages
  for program in uplink_exporter uplink_reflector uplinktool; do check "$program starts" version "$program"; done
fi
finish
