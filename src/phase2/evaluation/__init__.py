"""Judging models on labelled data: errors with intervals, by property and by kind of crystal, beside baselines."""
