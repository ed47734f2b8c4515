#!/usr/bin/env bash
# shellcheck disable=SC2317,SC1091  # parts are called by name
# Runs every test and counts them: the last line is `N passed, N failed`, the exit status is 1 where one failed.
#
#   tests/run.sh          everything; at most 14 minutes on two cores, builds included
#   tests/run.sh --full   lab and matrix three times, octets of a day, ten million packets in the flood,
#                         1,000 gateway-days, a minute a fuzzer
#
# On a fresh Debian it installs what it needs (as root). Parts that mostly wait run beside those that compute.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. deploy/install.sh

repeats=1
case "${1-}" in
  '') ;;
  --full) repeats=3; export UPLINK_FLOOD_PACKETS=10000000 ;;
  *) sed -n '3,9s/^# \{0,1\}//p' tests/run.sh; exit 2 ;;
esac
began=$SECONDS
logs=$(mktemp -d)
trap 'rm -rf "$logs"; kill $(jobs -p) 2> /dev/null' EXIT
trap 'exit 130' INT TERM

# part NAME COMMAND...: runs it, prints PASS or FAIL with its seconds, and notes how many tests it counted. A command
# that prints `N passed, N failed` last is believed where its exit status agrees; any other counts as one test.
part() {
  local name=$1 start=$SECONDS status=0 passed failed verdict=PASS
  shift
  "$@" > "$logs/$name.log" 2>&1 < /dev/null || status=$?
  read -r passed failed <<< "$(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p' "$logs/$name.log")"
  [ -n "${failed-}" ] || { passed=1; failed=0; [ "$status" = 0 ] || { passed=0; failed=1; }; }
  [ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
  # No test at all is no success: a part that counts none has run nothing.
  [ "$((passed + failed))" != 0 ] || failed=1
  [ "$failed" = 0 ] || verdict=FAIL
  echo "$passed $failed" > "$logs/$name.count"
  printf '%s  %4d s  %-24s %s passed, %s failed\n' "$verdict" $((SECONDS - start)) "$name" "$passed" "$failed"
  grep -E '^skip|^\[  SKIPPED \] .*\(|\*\*\*Skipped' "$logs/$name.log" | sort -u | sed 's/^/      /'
  if [ $verdict = FAIL ]; then
    # The whole log of a failed scenario is there; of anything else, its end.
    grep -vE '^ok |^\[ +(OK|RUN)' "$logs/$name.log" | tail -n 150 | sed 's/^/    | /'
  fi
  [ $verdict = PASS ]
}

# The unit-test programs that tests/unit makes, as ninja targets.
unit_targets() {
  local room
  for room in tests/unit/*/; do
    compgen -G "$room*_test.cc" > /dev/null && echo "unit_$(basename "$room")"
  done
}

build() {  # build DIRECTORY SANITIZERS TARGET...
  local directory=$1 sanitize=$2
  shift 2
  cmake -S . -B "$directory" -G Ninja -DUPLINK_TESTS=ON -DUPLINK_SANITIZE="$sanitize" \
    -DCMAKE_BUILD_TYPE="$([ -n "$sanitize" ] && echo Debug || echo Release)" && cmake --build "$directory" --target "$@"
}

# ThreadSanitizer of GCC 12 cannot place its shadow where the kernel randomises too many bits of an address.
still=()
! setarch -R true 2> /dev/null || still=(setarch -R)

# Runs unit-test programs one after the other and counts their tests.
unit_programs() {  # unit_programs DIRECTORY PROGRAM...
  local directory=$1 program passed=0 failed=0 ran bad log
  shift
  log=$(mktemp)
  for program in "$@"; do
    "${still[@]}" "$directory/bin/$program" --gtest_color=no > "$log" 2>&1
    local status=$?
    cat "$log"
    ran=$(sed -nE 's/^\[  PASSED  \] ([0-9]+) tests?\..*/\1/p' "$log")
    bad=$(sed -nE 's/^\[  FAILED  \] ([0-9]+) tests?, listed below:.*/\1/p' "$log")
    # A sanitizer ends the program at once, so no sum is printed: that is a failure of its own.
    [ "$status" = 0 ] || [ -n "$bad" ] || { bad=1; echo "$program ended with $status"; }
    passed=$((passed + ${ran:-0}))
    failed=$((failed + ${bad:-0}))
  done
  rm -f "$log"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

release_tests() {
  local log passed failed status=0
  log=$(mktemp)
  (cd build && ctest -j 3 --timeout 300 --output-on-failure) > "$log" 2>&1 || status=$?
  cat "$log"
  read -r failed total <<< "$(sed -nE 's/^[0-9]+% tests passed, ([0-9]+) tests failed out of ([0-9]+)/\1 \2/p' "$log")"
  rm -f "$log"
  echo "$((${total:-0} - ${failed:-1})) passed, ${failed:-1} failed"
  return "$status"
}

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1

sanitized() {  # one build after the other: two cores are busy enough
  local targets
  mapfile -t targets < <(unit_targets)
  part asan-build build_asan "${targets[@]}" && part asan-ubsan unit_programs build-asan "${targets[@]}"
  # What hands data from thread to thread: the snapshot, the web server, the reflector's shards.
  local threaded=()
  for target in unit_metrics unit_web unit_reflector; do
    [[ " ${targets[*]} " != *" $target "* ]] || threaded+=("$target")
  done
  part tsan-build build_tsan "${threaded[@]}" && part tsan unit_programs build-tsan "${threaded[@]}"
}
build_asan() { build build-asan address,undefined "$@"; }
build_tsan() { build build-tsan thread "$@"; }

interop() {  # interop PEER
  local log status=0
  log=$(mktemp)
  UPLINK_BIN=$PWD/build/bin unshare -nmpf --kill-child /usr/bin/python3 "tests/lab/interop_$1.py" > "$log" 2>&1 || status=$?
  cat "$log"
  echo "$(grep -c '^ok ' "$log") passed, $((status != 0)) failed"
  rm -f "$log"
  return "$status"
}

# Coverage-guided, from the kept corpus on; what it finds it prints as hexadecimal.
fuzz() { part fuzz-build tests/fuzz/run.sh build && part fuzz tests/fuzz/run.sh run "$([ "$repeats" = 1 ] && echo 10 || echo 60)"; }

small_parts() {
  part house tests/house.py
  part promtool-rules promtool check rules --lint=all rules/*.rules.yml
  part rules-check tests/rules_check.py
  part promtool-tests promtool_tests
  part promtool-config promtool check config deploy/prometheus/{prometheus,central,federation}.yml
  part promtool-agent promtool check config --agent deploy/prometheus/agent.yml
  part dashboards tests/dashboards/run.sh check
  part reference deploy/doc/reference.py --check
  part promtool-compose promtool check config deploy/compose/prometheus.yml
  part compose env GRAFANA_PASSWORD=x docker-compose -f deploy/compose/compose.yml config -q
  part amtool-config amtool check-config deploy/alertmanager/alertmanager.yml
}
promtool_tests() {
  local file passed=0 failed=0
  for file in rules/tests/*.test.yml; do
    if promtool test rules "$file"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

finish() {
  local passed=0 failed=0 p f
  for count in "$logs"/*.count; do
    read -r p f < "$count"
    passed=$((passed + p))
    failed=$((failed + f))
  done
  echo "took $((SECONDS - began)) s"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
  exit
}

part packages install_packages "${BUILD_PACKAGES[@]}" "${LAB_PACKAGES[@]}" "${TEST_PACKAGES[@]}" || finish
small_parts
part build-programs build build '' uplink_exporter uplink_reflector uplinktool lab_flood lab_stun || finish

# The lab and the story wait for most of their time, and their clocks are real: from here on whatever compiles is at the
# lowest priority. Should this script be ended, so are they (setpriv), and with them their namespaces.
{
  for ((round = 1; round <= repeats; ++round)); do
    part "lab$([ "$repeats" = 1 ] || echo "-$round")" setpriv --pdeathsig TERM tests/lab/run.py --jobs 8
  done
  part matrix setpriv --pdeathsig TERM tests/lab/matrix.py --rounds "$repeats"
} &
# It counts octets, not time, and waits for an hour.
[ "$repeats" = 1 ] || part octets setpriv --pdeathsig TERM tests/bench/octets_a_day.py &
renice -n 19 $BASHPID > /dev/null
if ! part build-tests build build '' all; then
  wait
  finish
fi
# After the tests are built: it looks into build/ itself.
{
  renice -n 0 $BASHPID > /dev/null
  part quickstart env UPLINK_STORY_KEEP="$logs/story" setpriv --pdeathsig TERM deploy/quickstart.sh --once
  # Of what Prometheus saw of the story; pictures for people to look at.
  part dashboards-story tests/dashboards/run.sh story "$logs/story" build/dashboards
  if tests/browser/run.sh install > "$logs/chromium.log" 2>&1; then
    part browser setpriv --pdeathsig TERM tests/browser/run.sh check
  else
    echo "skip            browser                  no Chromium or playwright-core: $(tail -n 1 "$logs/chromium.log")"
  fi
} &
part unit release_tests
part https-clients tests/browser/https_clients.py build/bin
part completions tests/completions.py build/bin
part examples tests/examples.py build/bin
part newcomer tests/newcomer.sh
part packages tests/packages.sh
part openwrt tests/openwrt.sh
part interop-scapy interop scapy
part interop-tshark interop tshark
sanitized
fuzz
# What a fresh machine makes of the packages; another Debian builds them first.
[ "$repeats" = 1 ] || for suite in bookworm trixie; do part "packages-$suite" tests/packages.sh "$suite"; done
[ "$repeats" = 1 ] || for machine in arm64 s390x; do part "cross-$machine" tests/cross.sh "$machine"; done
[ "$repeats" = 1 ] || { part rules-trixie tests/rules_in.sh trixie; part rules-mutants tests/rules_check.py --mutants; }
wait
# Alone: it measures.
[ "$repeats" = 1 ] || {
  part gateway-days tests/bench/gateway_days.py
  part fleet-rules tests/bench/fleet_rules.py
  part idle-agent tests/bench/idle_agent.py --whole
}
finish
