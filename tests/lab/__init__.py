"""The lab: a home, its carriers and the cloud in network namespaces, with real daemons."""
