"""The local backend: runs in processes of this machine, one at a time or several at once."""
