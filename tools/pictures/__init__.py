"""Pictures of the documentation, drawn from real runs, and a record of what drew each."""
