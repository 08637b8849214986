"""The publish protocol: a store holds a whole run or none of it."""
