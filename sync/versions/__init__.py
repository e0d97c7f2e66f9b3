"""Changes of the configuration: foreseen, put in force, switched."""
