"""Old files that need trust (`.pkl` datasets, `.pt` snapshots) become ours; nothing in them is executed."""
