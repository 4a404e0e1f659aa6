"""What trainings minimise, over which examples: one file for each way to learn."""

from paperlib import lazily
from paperlib.training.objectives.absolute_pose import AbsolutePose
from paperlib.training.objectives.adversarial import Adversarial
from paperlib.training.objectives.base import Examples, Objective, Update, amsgrad
from paperlib.training.objectives.forecasting import Forecasting
from paperlib.training.objectives.image_joints import FIRST_STAGE, ImageJoints
from paperlib.training.objectives.joint_depths import SECOND_STAGE, JointDepths
from paperlib.training.objectives.keypoint_maps import KeypointMaps
from paperlib.training.objectives.occlusion_aware import PoseAndOcclusion
from paperlib.training.objectives.semi_supervised import SemiSupervised
from paperlib.training.objectives.supervised import Supervised

__getattr__, __dir__ = lazily(__name__)
