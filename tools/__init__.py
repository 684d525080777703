"""Scripts that write data files of the repository from public sources."""
