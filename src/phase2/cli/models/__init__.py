"""Commands that use a trained model: ``predict``, ``embed`` and ``evaluate``."""
