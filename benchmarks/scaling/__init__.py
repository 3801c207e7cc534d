"""Many studies: filling a database with them, asking every page as ten people do, drawing the times."""
