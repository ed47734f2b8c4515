# fish completion of uplink_reflector; deploy/completions/make.py makes it of what --help says.
complete -c uplink_reflector -f
complete -c uplink_reflector -s h -d 'Print this help message and exit'
complete -c uplink_reflector -l help -d 'Print this help message and exit'
complete -c uplink_reflector -l config.file -r -F -d 'Configuration: where to listen, and the gateways\' keys'
complete -c uplink_reflector -l config.check -d 'Check configuration, web configuration and keys, and exit'
complete -c uplink_reflector -l web.listen-address -x -d 'Where to serve page and metrics'
complete -c uplink_reflector -l web.config.file -r -F -d 'TLS, passwords, headers and a rate limit of the pages, in the'
complete -c uplink_reflector -l log.level -x -a 'debug info warn error' -d 'How much is logged, to standard error'
complete -c uplink_reflector -l log.format -x -a 'logfmt json' -d 'How a line of it looks'
complete -c uplink_reflector -l version -d 'Display program version information and exit'
