# shellcheck shell=bash disable=SC2034,SC2086,SC2046
# Sourced, not run: installs Debian packages without letting any of them start a service.
#   install_packages PACKAGE...    returns 1 and says which packages are missing where apt could not help
#   install_node_packages          here, what package-lock.json lists
# Needs root only where something is missing. Quick where nothing is.

BUILD_PACKAGES=(g++ cmake ninja-build pkg-config ccache libssl-dev libfmt-dev libyaml-cpp-dev
  nlohmann-json3-dev libcli11-dev libboost-dev prometheus-cpp-dev zlib1g-dev libcivetweb-dev libnl-3-dev libnl-route-3-dev
  libnl-nf-3-dev libsystemd-dev libgtest-dev libgmock-dev)
LAB_PACKAGES=(python3 iproute2 iputils-ping nftables conntrack openssl openvpn prometheus prometheus-alertmanager coturn)
TEST_PACKAGES=(irtt strace python3-scapy python3-yaml git clang libclang-rt-dev tshark systemd-journal-remote lintian man-db debootstrap docker-compose
  prometheus-smokeping-prober prometheus-blackbox-exporter nginx fish zsh)

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# Nor does one of them start at the next boot: the lab runs its own. Services that were here before are left alone.
_disable_services() {
  local unit
  command -v systemctl > /dev/null || return 0
  for unit in prometheus prometheus-alertmanager prometheus-smokeping-prober prometheus-blackbox-exporter coturn openvpn irtt nginx; do
    case " $* " in *" $unit "*) systemctl disable --quiet "$unit.service" 2> /dev/null ;; esac
  done
  return 0
}

# While apt works, policy-rc.d forbids every start of a service; what was there before comes back.
_forbid_services() {
  _policy=/usr/sbin/policy-rc.d
  _policy_kept=
  if [ -e "$_policy" ] || [ -L "$_policy" ]; then
    _policy_kept=$(mktemp -u "$_policy.uplink.XXXXXX")
    mv "$_policy" "$_policy_kept"
  fi
  printf '#!/bin/sh\nexit 101\n' > "$_policy"
  chmod 755 "$_policy"
}

_allow_services() {
  rm -f "$_policy"
  [ -z "$_policy_kept" ] || mv "$_policy_kept" "$_policy"
}

install_packages() {
  local missing attempt log
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    echo "These packages are missing; install them as root: apt-get install --no-install-recommends" $missing >&2
    return 1
  fi
  echo "Installing with apt:" $missing
  log=$(mktemp)
  (
    # The subshell's trap puts policy-rc.d back however it ends.
    _forbid_services
    trap _allow_services EXIT
    trap 'exit 130' INT TERM
    export DEBIAN_FRONTEND=noninteractive
    for attempt in 1 2 3; do
      [ "$attempt" = 1 ] || sleep $((attempt * 5))
      apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 update &&
        apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 install -y --no-install-recommends $missing &&
        _disable_services $missing && exit 0
    done
    exit 1
  ) < /dev/null > "$log" 2>&1
  missing=$(missing_packages "$@")
  if [ -n "$missing" ]; then
    tail -n 30 "$log" >&2
    echo "apt could not install:" $missing "(its last lines are above)" >&2
  fi
  rm -f "$log"
  [ -z "$missing" ]
}

install_node_packages() {
  local attempt
  command -v npm > /dev/null || install_packages nodejs npm || return
  [ package-lock.json -nt node_modules/.installed ] || return 0
  for attempt in 1 2 3; do
    [ "$attempt" = 1 ] || sleep $((attempt * 5))
    npm ci --no-audit --no-fund > node.log 2>&1 && touch node_modules/.installed && rm -f node.log && return 0
  done
  tail -n 30 node.log >&2
  rm -f node.log
  echo 'npm could not install what package-lock.json lists (its last lines are above)' >&2
  return 1
}
