"""How sure a prediction is: intervals of stated coverage, and crystals that are unlike the training crystals."""
