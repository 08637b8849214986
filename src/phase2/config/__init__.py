"""What is asked for: the levels table, requests, resolved configurations, settings."""
