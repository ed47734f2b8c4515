#!/bin/sh
# usage: run.sh build | run.sh run SECONDS         (BUILD=directory, else build-fuzz)
# `run` runs every fuzz target for SECONDS, two at a time. The kept corpus is read, never written; what is new stays in
# the build directory. A finding fails the run and is printed as hexadecimal.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build-fuzz}

if [ "${1-}" = build ]; then
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DUPLINK_FUZZ=ON -DUPLINK_TESTS=OFF
  exec cmake --build "$build" --target fuzz
fi
if [ "${1-}" != run ] || [ $# != 2 ]; then
  sed -n "2,4s/^# //p" "$0" >&2
  exit 2
fi
seconds=$2

one() {
  name=$1
  work=$build/fuzz/$name
  rm -rf "$work"
  mkdir -p "$work/new"
  if "$build/bin/fuzz_$name" -max_total_time="$seconds" -max_len=8400 -rss_limit_mb=1024 -timeout=10 \
    -artifact_prefix="$work/" -print_final_stats=1 "$work/new" "$root/tests/fuzz/corpus/$name" >"$work/log" 2>&1; then
    echo "ok $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") inputs," \
      "$(find "$root/tests/fuzz/corpus/$name" -type f | wc -l) of them kept"
    touch "$work/passed"
  else
    echo "FAILED $name"
    grep -aE -m 12 'ERROR: |runtime error|invariant broken|^ +#[0-9]+ .*/(exporter|tests)/' "$work/log" || tail -n 12 "$work/log"
    for finding in "$work"/crash-* "$work"/oom-* "$work"/timeout-* "$work"/leak-*; do
      [ ! -f "$finding" ] || { echo "$finding"; od -An -tx1 "$finding" | head -n 40; }
    done
  fi
}

passed=0
total=0
set -- "$root"/tests/fuzz/*_fuzz.cc
while [ $# -gt 0 ]; do
  names=
  for source in "$1" "${2:-}"; do
    [ -z "$source" ] || names="$names $(basename "$source" _fuzz.cc)"
  done
  shift
  [ $# = 0 ] || shift
  for name in $names; do one "$name" & done
  wait
  for name in $names; do
    total=$((total + 1))
    [ ! -f "$build/fuzz/$name/passed" ] || passed=$((passed + 1))
  done
done
echo "$passed passed, $((total - passed)) failed"
[ "$passed" -gt 0 ] && [ "$passed" -eq "$total" ]
