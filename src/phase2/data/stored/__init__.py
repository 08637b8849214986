"""Data sets in a store, under the address of their content: pushed once, fetched into the cache of any machine."""
