"""Networks as if trained, for tests that must not pass on fresh ones alone."""

from torch import nn

from paperlib.models import TemporalModel, filter_widths


def randomised(model: nn.Module) -> nn.Module:
    """In evaluation mode, with batch norms that do not leave their input as it is."""
    for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)):
        nn.init.uniform_(norm.running_mean, -0.5, 0.5)
        nn.init.uniform_(norm.running_var, 0.5, 2.0)
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.5, 0.5)
    return model.eval()


def lifting(receptive_field=9, causal=False, joints_in=17, joints_out=17) -> nn.Module:
    """A small temporal model of that kind, in training mode."""
    widths = filter_widths(receptive_field)
    model = TemporalModel(joints_in, 2, joints_out, widths, causal=causal, channels=12)
    return randomised(model).train()
