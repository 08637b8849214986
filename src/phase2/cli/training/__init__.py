"""``phase2 train`` and ``phase2 explain``, and what the commands that train share."""
