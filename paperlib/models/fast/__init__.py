"""The same numbers, sooner: what training and inference put in the place of the models' own pages.

* :func:`for_training` fuses batch norm, ReLU and dropout, :func:`as_written` undoes that;
  :func:`set_momentum` and :func:`synchronise` set how the statistics are taken;
* :func:`fold` puts the batch norms of a trained model into its weights;
* :func:`lift` runs whole sequences, :class:`Streaming` one frame at a time.
"""

from paperlib import lazily
from paperlib.models.fast.activation import as_written, for_training, set_momentum, synchronise
from paperlib.models.fast.folding import fold
from paperlib.models.fast.lifting import lift
from paperlib.models.fast.streaming import Streaming

__getattr__, __dir__ = lazily(__name__)
