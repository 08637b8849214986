"""Commands in the pages: found, checked against the command line, and run."""
