"""The journal of a study in a store: numbered entries, written once, from which Optuna restores its state."""
