#!/usr/bin/env bash
# The unit tests on another machine: cross-compiled in a root of Debian 12, run in qemu's user emulation.
# shellcheck disable=SC2317,SC1091,SC2086  # checks are called by name; lists of words
#
#   tests/cross.sh arm64 [ROOM...]    what small gateways have
#   tests/cross.sh s390x [ROOM...]    big-endian, for whatever takes octets apart; 64 bits as well
#
# The last line is `N passed, N failed`. Needs root. This machine is left without a foreign architecture.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
case "${1-}" in
  arm64) compiler=g++-aarch64-linux-gnu emulator=qemu-aarch64-static ;;
  s390x) compiler=g++-s390x-linux-gnu emulator=qemu-s390x-static ;;
  *) sed -n '2,8s/^# \{0,1\}//p' tests/cross.sh; exit 2 ;;
esac
machine=$1
shift
. deploy/install.sh
. tests/root.sh

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
    apt_in_root install $compiler qemu-user-static cmake ninja-build pkg-config ccache nlohmann-json3-dev libcli11-dev \
      file $(foreign_packages)
}
rooms=("$@")
[ $# != 0 ] || mapfile -t rooms < <(for room in tests/unit/*/; do compgen -G "$room*_test.cc" > /dev/null && basename "$room"; done)
compile() {
  compile_in_root bash -c 'cmake -S /src -B /build -G Ninja -DCMAKE_TOOLCHAIN_FILE=/src/deploy/cross.cmake \
    -DUPLINK_MACHINE="$0" -DUPLINK_TESTS=ON && cmake --build /build -j 2 --target uplink_exporter uplink_reflector uplinktool "$@"' \
    "$machine" "${rooms[@]/#/unit_}"
}

check "a root of bookworm" new_root bookworm
check "a compiler and libraries for $machine" install_foreign
check "programs and unit tests compiled for $machine" compile
[ "$failed" = 0 ] || finish
