"""CSV of targets: its rows, headings and numbers."""
