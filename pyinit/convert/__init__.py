"""Other ways to write services down, and the plain directories that come of them. Process 1 never imports this."""
