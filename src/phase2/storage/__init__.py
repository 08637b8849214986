"""Stores of files: one protocol, a folder or an S3 bucket behind it."""
