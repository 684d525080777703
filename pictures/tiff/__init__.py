"""Read the samples of TIFF files that Pillow cannot read, or reads wrongly."""
