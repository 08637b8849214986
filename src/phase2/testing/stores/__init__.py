"""Stores in tests: their contract, real S3 servers, and faulty networks in front of them."""
