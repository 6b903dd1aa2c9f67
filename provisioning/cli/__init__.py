"""The command line `kaiwa-cloud`, one module for each kind of command."""
