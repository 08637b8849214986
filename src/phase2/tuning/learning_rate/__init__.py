"""Finding a learning rate: a range test, its picture and its files."""
