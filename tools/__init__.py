"""Tools of this repository that are no part of the package: generators, checks, and programs built from source."""
