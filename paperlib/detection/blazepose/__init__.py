"""BlazePose."""
