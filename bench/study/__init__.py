"""Studies of the networks: declared rows of ordinary runs, trained into a store and compared over seeds."""
