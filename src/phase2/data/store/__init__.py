"""The packed graph store on disk, built by worker processes."""
