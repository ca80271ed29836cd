"""The batches of a training in their order, each made ahead of the step that needs it.

What a batch holds depends on the seed, the step and the stream alone: a training that goes on at a step draws what it
would have drawn, however it came there, and processes that share the streams draw together what one would draw.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import numpy as np
from numpy.typing import NDArray

from spoticell.training.config import TrainConfig
from spoticell.training.data.augment import Mask
from spoticell.training.data.batches import Batch, Batches
from spoticell.training.data.supply import Supply

AHEAD = 3
"""Batches that are made before they are needed."""
STEP, POOL = 0, 1
"""Streams of random numbers: for a step and for a pool."""

Draw = tuple[Batch, int]
"""A batch, and the seed of all that is random in the network while it sees it."""


class Draws:
    """Draws the batches of each step.

    Parameters
    ----------
    supply
        Where the cells come from.
    nodes
        All nodes; each label is one.
    config
        What a batch is.
    panels
        Real panels, each ``(g,)``.
    seed
        Seed of the training.
    streams
        Batches whose gradients make a step, over all processes.
    states
        Genes of each state that cells may be put into.
    """

    def __init__(
        self,
        supply: Supply,
        nodes: Sequence[str],
        config: TrainConfig,
        *,
        panels: Sequence[Mask],
        seed: int,
        streams: int,
        states: Sequence[NDArray[np.intp]] = (),
    ) -> None:
        self.supply, self.config, self.panels, self.seed, self.streams = supply, config, panels, seed, streams
        self.states = states
        self._node_of = {node: position for position, node in enumerate(nodes)}
        self._pools: dict[int, tuple[int, Batches]] = {}
        """For each stream the number of its pool, and the pool."""

    def draw(self, step: int, stream: int) -> Draw:
        """Give the batch of a stream at a step."""
        rng = self._random(STEP, step, stream)
        return self._batches(step, stream).draw(rng), int(rng.integers(1 << 62))

    def from_step(self, step: int, streams: Sequence[int]) -> Generator[Draw]:
        """Give the batches of some streams, step by step from one on without end, made ahead in a thread.

        Close the iterator when it is no longer needed.
        """
        order = ((later, stream) for later in count(step) for stream in streams)
        waiting: deque[Future[Draw]] = deque()
        with ThreadPoolExecutor(1, thread_name_prefix="draws") as thread:
            try:
                while True:
                    while len(waiting) < AHEAD:
                        waiting.append(thread.submit(self.draw, *next(order)))
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _batches(self, step: int, stream: int) -> Batches:
        steps = self.supply.pool_steps(self.config.batch_size * self.streams)
        number = step // steps if steps else 0
        if self._pools.get(stream, (-1, None))[0] != number:
            self._pools.pop(stream, None)  # the old one is let go of before the new one is read
            pool = self.supply.pool(self._random(POOL, number, stream), streams=self.streams)
            node_n = np.array([self._node_of[label] for label in pool.cells.label_n], dtype=np.intp)
            batches = Batches(pool, node_n, config=self.config, panels=self.panels, states=self.states)
            self._pools[stream] = (number, batches)
        return self._pools[stream][1]

    def _random(self, kind: int, number: int, stream: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(kind, number, stream)))
