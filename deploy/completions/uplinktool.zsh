#compdef uplinktool
# zsh completion of uplinktool; deploy/completions/make.py makes it of what --help says.
_uplinktool() {
  local at=uplinktool curcontext=$curcontext
  integer i deep=1
  for ((i = 2; i < CURRENT; ++i)); do
    case "$at $words[i]" in
      ('uplinktool keygen' | 'uplinktool check' | 'uplinktool check config' | 'uplinktool openvpn' | 'uplinktool openvpn analyze' | 'uplinktool init' | 'uplinktool diagnose') at+=" $words[i]"; deep=$i ;;
    esac
  done
  words=("${(@)words[deep,-1]}")
  ((CURRENT -= deep - 1))
  case $at in
    'uplinktool')
      _arguments '*--help[Print this help message and exit]' \
        '*--version[Display program version information and exit]' \
        '1:command:((keygen\:'\''Print a new key file'\'' check\:'\''Check a file before a program reads it'\'' openvpn\:'\''Look at what OpenVPN wrote'\'' init\:'\''Look at this machine and print a commented configuration for it'\'' diagnose\:'\''Measure every uplink for a minute, and say what is wrong and whose it is'\''))' ;;
    'uplinktool keygen')
      _arguments '*--help[Print this help message and exit]' \
        '*--master[A master key, for the reflector only]' \
        '*--for=[A key for one more gateway of the first master in this file]:MASTER_FILE:_files' ;;
    'uplinktool check')
      _arguments '*--help[Print this help message and exit]' \
        '1:command:((config\:'\''Check a configuration and print "FILE\: ok" or the first error'\''))' ;;
    'uplinktool check config')
      _arguments '*--help[Print this help message and exit]' \
        '*--reflector[It is one of uplink_reflector]' \
        '*:file:_files' ;;
    'uplinktool openvpn')
      _arguments '*--help[Print this help message and exit]' \
        '1:command:((analyze\:'\''Say what happened in a log\: reconnects by reason, and the diagnosis with why'\''))' ;;
    'uplinktool openvpn analyze')
      _arguments '*--help[Print this help message and exit]' \
        '*--json[Print JSON]' \
        '*--role=[Whose log it is, where it does not say so itself]:WHOSE:(client server)' \
        '*:file:_files' ;;
    'uplinktool init')
      _arguments '*--help[Print this help message and exit]' \
        '*--reflector=[Where uplink_reflector runs, if you have one]:HOST\:PORT: ' \
        '*--openvpn=[Where OpenVPN'\''s configurations are]:DIRECTORY:_files' ;;
    'uplinktool diagnose')
      _arguments '*--help[Print this help message and exit]' \
        '*--config.file=[That of uplink_exporter]:FILE:_files' \
        '*--duration=[How long to measure, 10 to 3600]:SECONDS: ' \
        '*--json[Print JSON]' ;;
  esac
}
_uplinktool "$@"
