"""Parts of a CIF: its block, cell, sites, symmetry and what it says about its contents."""
