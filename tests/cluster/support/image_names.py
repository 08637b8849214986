"""Names of an image that no registry has."""

DIGEST = "sha256:" + "0123456789abcdef" * 4
BY_DIGEST = f"registry.example.org/materials/phase2@{DIGEST}"
