"""Upper bounds that options and settings share."""

from __future__ import annotations

MOST_COUNTED = 10**9
MOST_RATE = 1e3
LONGEST_ADDRESS = 4096
