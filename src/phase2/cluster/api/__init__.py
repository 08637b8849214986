"""The Kubernetes API: connection, requests, errors."""
