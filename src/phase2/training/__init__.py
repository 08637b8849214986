"""From a configuration and crystals to a trained model."""
