"""The state of all services as data, from the files alone."""
