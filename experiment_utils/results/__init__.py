"""What runs have left behind: their numbers, what was swept, statistics over seeds, queries and figures."""
