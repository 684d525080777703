"""Bytes to pictures: upright sRGB pixels, and what the camera noted. Needed on the way in and for picture queries."""
