# bash completion of uplink_reflector; deploy/completions/make.py makes it of what --help says.
_uplink_reflector_completion() {
  local at=uplink_reflector words= files= word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} i
  # bash takes --option=value apart.
  if [ "$word" = = ]; then
    word=
  elif [ "$option" = = ]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case "$at $option" in
    'uplink_reflector --config.file') files=yes ;;
    'uplink_reflector --web.listen-address') words= ;;
    'uplink_reflector --web.config.file') files=yes ;;
    'uplink_reflector --log.level') words='debug info warn error' ;;
    'uplink_reflector --log.format') words='logfmt json' ;;
    *)
      case $at in
        'uplink_reflector') words='--help --config.file --config.check --web.listen-address --web.config.file --log.level --log.format --version' ;;
      esac
      ;;
  esac
  COMPREPLY=()
  # With no words, bash completes names of files.
  [ -n "$files" ] && [[ $word != -* ]] && return
  [ -n "$files" ] || compopt +o default 2> /dev/null
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _uplink_reflector_completion uplink_reflector
