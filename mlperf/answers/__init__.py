"""One module per question of `views.md`: rows of results in, an `Answer` out; usable from a notebook."""
