"""How long a run will take: by finished runs of the store, or on a CPU by measured rates that are part of phase2."""
