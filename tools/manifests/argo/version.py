"""The version of Argo Workflows that the tests run; the pages, the chart and the lists of images say the same."""

TESTED = "4.0.5"
"""Newest version that its Go module offers, and the oldest that is supported."""

VERIFIED = "4.1.2"
"""Version whose behaviour the manifests were first written after, on another controller than the one of the tests."""
