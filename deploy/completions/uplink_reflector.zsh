#compdef uplink_reflector
# zsh completion of uplink_reflector; deploy/completions/make.py makes it of what --help says.
_uplink_reflector() {
  local at=uplink_reflector curcontext=$curcontext
  integer i deep=1
  case $at in
    'uplink_reflector')
      _arguments '*--help[Print this help message and exit]' \
        '*--config.file=[Configuration\: where to listen, and the gateways'\'' keys]:FILE:_files' \
        '*--config.check[Check configuration, web configuration and keys, and exit]' \
        '*--web.listen-address=[Where to serve page and metrics]:ADDRESS\:PORT: ' \
        '*--web.config.file=[TLS, passwords, headers and a rate limit of the pages, in the]:FILE:_files' \
        '*--log.level=[How much is logged, to standard error]:value:(debug info warn error)' \
        '*--log.format=[How a line of it looks]:value:(logfmt json)' \
        '*--version[Display program version information and exit]' ;;
  esac
}
_uplink_reflector "$@"
