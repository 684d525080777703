"""Read when, where and with what a picture was taken, and who is in it, from files and their sidecars."""
