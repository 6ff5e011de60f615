"""Matching: which verses are sung in a recording, and in which order."""
