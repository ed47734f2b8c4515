#!/usr/bin/env bash
# A Debian of its own, to see what a fresh machine sees.
#
#   tests/lab/debian_root.sh SUITE DIRECTORY     makes DIRECTORY a minimal Debian (bookworm, trixie) by debootstrap
#
# From the mirror that this machine's own apt uses. A finished base is kept beside DIRECTORY as SUITE.tar, so that the
# next one is a matter of seconds. Starts nothing in it; needs root.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
suite=$1
root=$2
kept=$(dirname "$root")/$suite.tar

mkdir -p "$root"
if [ -f "$kept" ]; then
  tar -xf "$kept" -C "$root"
else
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
  debootstrap --variant=minbase "$suite" "$root" "${mirror:?apt has no mirror configured}" > "$root.log" 2>&1 ||
    { tail -n 20 "$root.log" >&2; exit 1; }
  rm -f "$root.log"
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  tar -cf "$kept.part" -C "$root" .
  mv "$kept.part" "$kept"
fi
chmod 755 "$root"  # mktemp makes it private, and services have users of their own
cp /etc/resolv.conf "$root/etc/resolv.conf"
printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"  # as Debian's installer leaves it
# What this machine's apt needs to reach its mirror holds there too.
apt-config dump | grep -E '^Acquire::(http|https)' > "$root/etc/apt/apt.conf.d/99machine" || true
