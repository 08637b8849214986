"""Run configuration: the levels table, requests, resolved configurations, files and the environment."""
