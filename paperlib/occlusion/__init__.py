"""Which joints are hidden: labels by rules of thumb, and how good they are (wang2020, 4)."""

from paperlib import lazily
from paperlib.occlusion.bodies import Body, body_of
from paperlib.occlusion.boxed_man import boxed_man, boxes, hidden_behind
from paperlib.occlusion.clustered import RULES, TOLERANCE, clustered
from paperlib.occlusion.cylinder_man import cylinder_man
from paperlib.occlusion.heatmaps import heatmaps
from paperlib.occlusion.labels import GUESSES, LABELLINGS, guesses, labels, with_guess, with_labels
from paperlib.occlusion.masks import OcclusionMasks
from paperlib.occlusion.peaks import peak_widths, peaks, second_peaks
from paperlib.occlusion.scores import Curve, Scores, curve, scores
from paperlib.occlusion.simulated_maps import CROPS, SimulatedMaps, crops_of

__getattr__, __dir__ = lazily(__name__)
