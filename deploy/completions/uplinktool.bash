# bash completion of uplinktool; deploy/completions/make.py makes it of what --help says.
_uplinktool_completion() {
  local at=uplinktool words= files= word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} i
  # bash takes --option=value apart.
  if [ "$word" = = ]; then
    word=
  elif [ "$option" = = ]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$at ${COMP_WORDS[i]}" in
      'uplinktool keygen' | 'uplinktool check' | 'uplinktool check config' | 'uplinktool openvpn' | 'uplinktool openvpn analyze' | 'uplinktool init' | 'uplinktool diagnose') at+=" ${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at $option" in
    'uplinktool keygen --for') files=yes ;;
    'uplinktool openvpn analyze --role') words='client server' ;;
    'uplinktool init --reflector') words= ;;
    'uplinktool init --openvpn') files=yes ;;
    'uplinktool diagnose --config.file') files=yes ;;
    'uplinktool diagnose --duration') words= ;;
    *)
      case $at in
        'uplinktool') words='keygen check openvpn init diagnose --help --version' ;;
        'uplinktool keygen') words='--help --master --for' ;;
        'uplinktool check') words='config --help' ;;
        'uplinktool check config') words='--help --reflector' files=yes ;;
        'uplinktool openvpn') words='analyze --help' ;;
        'uplinktool openvpn analyze') words='--help --json --role' files=yes ;;
        'uplinktool init') words='--help --reflector --openvpn' ;;
        'uplinktool diagnose') words='--help --config.file --duration --json' ;;
      esac
      ;;
  esac
  COMPREPLY=()
  # With no words, bash completes names of files.
  [ -n "$files" ] && [[ $word != -* ]] && return
  [ -n "$files" ] || compopt +o default 2> /dev/null
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _uplinktool_completion uplinktool
