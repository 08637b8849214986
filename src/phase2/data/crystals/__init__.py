"""From a person's file to a Crystal."""
