"""The health of the sync: the overview with its charts and meters, runs and loops."""
