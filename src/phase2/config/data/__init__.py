"""Settings of data: names, addresses, splits and properties."""
