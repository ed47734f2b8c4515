# shellcheck shell=bash disable=SC2034,SC2154
# Sourced, not run: checks that are counted, and one root of another Debian to make them in.
#   check TITLE COMMAND...     runs it, says ok or FAIL with the end of what it printed, and counts
#   tests COMMAND...           the same for what counts its own tests, and prints `N passed, N failed` last
#   finish                     prints the sum `N passed, N failed` and exits with it
#   new_root SUITE             $root is a fresh Debian with an apt that is up to date; what a root had is given up first
#   in_root, apt_in_root       a command, apt-get in it
#   see_in_root [-w] HERE THERE   shows a directory of this machine in the root, read-only without -w
# Roots are under UPLINK_ROOTS (default /var/tmp/uplink-roots) and are gone when the script ends, however it does.
roots=${UPLINK_ROOTS:-/var/tmp/uplink-roots}
passed=0 failed=0
work=$(mktemp -d)
root=
mounted=()

check() {
  local title=$1 status=0
  shift
  "$@" > "$work/log" 2>&1 < /dev/null || status=$?
  if [ "$status" = 0 ]; then
    passed=$((passed + 1))
    echo "ok   $title"
  else
    failed=$((failed + 1))
    echo "FAIL $title"
    tail -n 60 "$work/log" | sed 's/^/     /'
  fi
}
tests() {
  local ran bad
  "$@" < /dev/null 2>&1 | tee "$work/log"
  read -r ran bad <<< "$(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p' "$work/log")"
  passed=$((passed + ${ran:-0})) failed=$((failed + ${bad:-1}))
}
finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
  exit
}

in_root() { chroot "$root" /usr/bin/env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
apt_in_root() { in_root apt-get -o Acquire::Retries=3 -y --no-install-recommends "$@"; }

see_in_root() {
  local options=bind,ro
  [ "$1" != -w ] || { options=bind; shift; }
  mkdir -p "$root$2" && mount -o "$options" "$1" "$root$2" && mounted+=("$root$2")
}
hide_in_root() {
  local place
  for place in "${mounted[@]}"; do umount "$place"; done
  mounted=()
}

drop_root() {
  [ -n "$root" ] || return 0
  hide_in_root
  # Nothing of this machine may be in it when it goes.
  grep -qs " $root/" /proc/self/mounts || rm -rf --one-file-system "$root"
  root=
}
_leave() {
  drop_root
  rm -rf "$work"
}
trap _leave EXIT
trap 'exit 130' INT TERM

_fill_root() {
  tests/lab/debian_root.sh "$1" "$root" && mount -t proc proc "$root/proc" && mounted+=("$root/proc") && apt_in_root update
}
new_root() {
  drop_root
  root=$(mkdir -p "$roots" && mktemp -d "$roots/root.XXXXXX") || return
  _fill_root "$1"
}

# What compiles in a root finds what an earlier one compiled.
compile_in_root() {  # compile_in_root COMMAND...: /src is this tree, what ccache keeps is kept beside the roots
  mkdir -p "$roots/ccache"
  see_in_root "$PWD" /src && see_in_root -w "$roots/ccache" /ccache || return
  in_root env CCACHE_DIR=/ccache "$@"
}
