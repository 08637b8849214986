"""Files on this machine: atomic writes, locks, disk errors, verified downloads."""
