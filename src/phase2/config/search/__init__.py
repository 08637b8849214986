"""Search spaces: settings that a study varies, with their ranges and choices."""
