"""Tmp."""
from pathlib import Path
MODELS = ("heavy", "full", "lite")
def find(name):
    if name == "detector": return Path("/var/blaze_dl/x/mediapipe/modules/pose_detection/pose_detection.tflite")
    return Path(f"/var/blaze_dl/x/package/pose_landmark_{name}.tflite")
