"""The work: store, pull, project, deliver, write back."""
