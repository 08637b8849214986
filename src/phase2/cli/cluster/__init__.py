"""Commands that reach a cluster; none needs torch."""
