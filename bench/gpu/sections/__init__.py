"""Sections of the check: each measures or shows one thing, in a process of its own."""
