"""Backends: the kinds of Kubernetes objects that execute runs."""
