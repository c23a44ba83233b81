"""Where runs can run: name -> "module:Class". A launcher may only execute `python -m experiment_utils.job RUN_DIR`."""

LAUNCHERS = {
    "here": "experiment_utils.launchers.here:HereLauncher",
    "local": "experiment_utils.launchers.local:LocalLauncher",
}
