#!/usr/bin/env bash
# The story of one carrier NAT that turns one-way, played with the real programs in network namespaces of this machine.
#
#   deploy/quickstart.sh            plays it, then stays up with its pages until Ctrl-C
#   deploy/quickstart.sh --once     plays it and ends: exit 0 only if each step was observed
#   deploy/quickstart.sh --real [CONFIG]   no lab: runs the agent on this machine's own uplinks
#
# Installs what is missing with apt (no service is started), builds into build/, and leaves nothing behind beside that.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/install.sh

usage() {
  sed -n '2,8s/^# \{0,1\}//p' deploy/quickstart.sh
  exit "$1"
}

mode=stay
config=deploy/examples/this-machine.yml
case "${1-}" in
  '') ;;
  --once) mode=once ;;
  --real) mode=real; config=${2-$config} ;;
  -h | --help) usage 0 ;;
  *) usage 2 >&2 ;;
esac

if [ "$mode" = real ]; then
  install_packages "${BUILD_PACKAGES[@]}"
else
  if [ "$(id -u)" != 0 ]; then
    echo "The lab makes network namespaces: run it as root (sudo $0 $*), or use --real." >&2
    exit 2
  fi
  install_packages "${BUILD_PACKAGES[@]}" "${LAB_PACKAGES[@]}"
fi

# Quiet unless it fails; nothing is compiled where nothing changed.
log=$(mktemp)
[ -x build/bin/uplink_exporter ] || echo "Building into build/ (some minutes the first time) ..."
if ! { { [ -f build/build.ninja ] || cmake -S . -B build -G Ninja; } &&
  cmake --build build --target uplink_exporter uplink_reflector uplinktool; } > "$log" 2>&1; then
  cat "$log"
  rm -f "$log"
  echo "The build failed; its output is above." >&2
  exit 1
fi
rm -f "$log"

case $mode in
  real)
    echo "The agent watches this machine's uplinks; its page is http://127.0.0.1:10177/ (Ctrl-C ends it)."
    exec build/bin/uplink_exporter --config.file "$config"
    ;;
  once) exec /usr/bin/python3 tests/lab/story.py --once ;;
  stay) exec /usr/bin/python3 tests/lab/story.py ;;
esac
