"""What this process runs on: limits, memory, hardware, versions."""
