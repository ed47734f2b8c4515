#compdef uplink_exporter
# zsh completion of uplink_exporter; deploy/completions/make.py makes it of what --help says.
_uplink_exporter() {
  local at=uplink_exporter curcontext=$curcontext
  integer i deep=1
  case $at in
    'uplink_exporter')
      _arguments '*--help[Print this help message and exit]' \
        '*--config.file=[Configuration]:FILE:_files' \
        '*--config.check[Check the configuration, and the web configuration, and exit]' \
        '*--web.listen-address=[Where to serve page and metrics]:ADDRESS\:PORT: ' \
        '*--web.telemetry-path=[Path of the metrics]:PATH: ' \
        '*--web.config.file=[TLS, passwords, headers and a rate limit, in the format of]:FILE:_files' \
        '*--log.level=[How much is logged, to standard error]:value:(debug info warn error)' \
        '*--log.format=[How a line of it looks]:value:(logfmt json)' \
        '*--version[Display program version information and exit]' ;;
  esac
}
_uplink_exporter "$@"
