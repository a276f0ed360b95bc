"""How a program of ours starts quickly: the only start-up tricks there are."""
