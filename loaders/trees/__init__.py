"""Shapes of results that lie in many files: a log means something only with its neighbours and its system's sheet."""
