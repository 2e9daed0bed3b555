"""How the fake tells its subscribers what happened: who listens to what, the bodies, and real signed HTTP requests."""
