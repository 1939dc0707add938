"""Steps from one shape of the state to the next, each with its way back."""
