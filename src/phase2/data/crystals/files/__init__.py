"""Files that hold structures: opened, decompressed, and read as streams of records."""
