# fish completion of uplink_exporter; deploy/completions/make.py makes it of what --help says.
complete -c uplink_exporter -f
complete -c uplink_exporter -s h -d 'Print this help message and exit'
complete -c uplink_exporter -l help -d 'Print this help message and exit'
complete -c uplink_exporter -l config.file -r -F -d 'Configuration'
complete -c uplink_exporter -l config.check -d 'Check the configuration, and the web configuration, and exit'
complete -c uplink_exporter -l web.listen-address -x -d 'Where to serve page and metrics'
complete -c uplink_exporter -l web.telemetry-path -x -d 'Path of the metrics'
complete -c uplink_exporter -l web.config.file -r -F -d 'TLS, passwords, headers and a rate limit, in the format of'
complete -c uplink_exporter -l log.level -x -a 'debug info warn error' -d 'How much is logged, to standard error'
complete -c uplink_exporter -l log.format -x -a 'logfmt json' -d 'How a line of it looks'
complete -c uplink_exporter -l version -d 'Display program version information and exit'
