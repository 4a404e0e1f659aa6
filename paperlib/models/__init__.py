"""One file per architecture: pure networks that know nothing of data, training or metrics.

:mod:`paperlib.models.fast` computes the same faster; :data:`MODELS` names them all.
"""

from paperlib import lazily
from paperlib.models.complexity import (
    channels_for,
    count_parameters,
    flops_per_frame,
    flops_per_window,
)
from paperlib.models.fast import Streaming, fold, lift
from paperlib.models.generator_and_discriminator import GENERATORS, GeneratorAndDiscriminator
from paperlib.models.high_resolution import HighResolutionNet
from paperlib.models.integral import IntegralRegression, soft_argmax
from paperlib.models.linear import LinearModel
from paperlib.models.lstm import LSTMModel
from paperlib.models.multi_stride import MultiStrideTCN, as_large
from paperlib.models.occlusion_aware import CODINGS, GATES, VECTORS, OcclusionAware
from paperlib.models.pose_and_trajectory import PoseAndTrajectory, SharedPoseAndTrajectory
from paperlib.models.pose_refinement import load_pose_refinement_checkpoint
from paperlib.models.recurrent_forecaster import RecurrentForecaster
from paperlib.models.registry import MODELS, build
from paperlib.models.resnet import load_imagenet_weights
from paperlib.models.temporal import RECEPTIVE_FIELDS, TemporalModel, filter_widths
from paperlib.models.temporal_posenet import TemporalPoseNet, absolute
from paperlib.models.videopose3d import load_videopose3d_checkpoint

__getattr__, __dir__ = lazily(__name__)
