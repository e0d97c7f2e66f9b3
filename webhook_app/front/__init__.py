"""What listens: the front before the doors, and the processes of `sudare serve`."""
