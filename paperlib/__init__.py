"""A runnable companion to five papers on 3D human pose from video.

The rooms, from the ground up; each imports only from those before it:
errors, paths, skeletons, kinematics, cameras, recordings, metrics, rendering, datasets, windows,
detection, models, training, results, plotting, widgets, workflow, __main__.
"""

__version__ = "0.1.0"
