"""The process of a command: where it begins and ends, and what its errors say."""
