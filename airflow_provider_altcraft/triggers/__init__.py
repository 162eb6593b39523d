"""The trigger, which waits without occupying a worker."""
