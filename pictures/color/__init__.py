"""Convert decoded pixels to 8-bit sRGB, by profile, code points or chromaticities."""
