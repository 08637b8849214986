"""What a run leaves behind: its directory, its numbers, and the manifest that vouches for both."""
