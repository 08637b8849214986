"""Commands about finished and unfinished runs."""
