"""Where films lie, and whether rows and files agree."""
