"""Admission policies of a namespace of runs: what a Job may be, who makes pods, and whose a run is."""
