"""What the public functions do, a file each; only the one that is called is imported."""
