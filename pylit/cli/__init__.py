"""The command line. Commands import the engine only when they run, which keeps `--help` fast."""
