"""Digests: in which ranges of ids Odoo and the topics say something else, asked of Odoo as sums and not as rows.

The topics' side is added up from the images, and remembered until one of the range is published anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from producers.capture import metrics
from producers.capture.images import Images
from producers.capture.source import Readable, Source
from producers.core.audit import Figures, agree, figures_of, nothing
from schemas import codec

RANGE = 5000
Range = tuple[int, int]
"""Above the one id, and up to the other."""


class Digests:
    """Of one model: the sums of its mapping's first entity."""

    def __init__(self, source: Source, one: Readable, images: Images) -> None:
        """Nothing is added up yet."""
        self._source, self._one, self._images = source, one, images
        self._place = (one.mapping.entities[0].topic_name, one.mapping.model)
        self._known: dict[int, Figures] = {}

    def published(self, ids: Iterable[int]) -> None:
        """Events of these records were published, or may have been."""
        for number in {(record_id - 1) // RANGE for record_id in ids}:
            self._known.pop(number, None)

    def differing(self) -> Iterator[Range | None]:
        """The ranges that differ, by ascending id, and None for each that does not: a step for each question to Odoo.

        Ends by telling the metric how many ranges differ now.
        """
        apart = number = 0
        highest = max(self._source.highest(self._one), self._images.highest(self._place))
        while number * RANGE < highest:
            after, upto = number * RANGE, (number + 1) * RANGE
            odoo = self._source.figures(self._one, after, upto)
            same = agree(self._one.mapping.sums, odoo, self._figures(number))
            apart += not same
            yield None if same else (after, upto)
            number += 1
        metrics.RANGES_APART.labels(self._one.mapping.model).set(apart)

    def _figures(self, number: int) -> Figures:
        found = self._known.get(number)
        if found is None:
            found = self._known[number] = self._added_up(number * RANGE, (number + 1) * RANGE)
        return found

    def _added_up(self, after: int, upto: int) -> Figures:
        table = self._one.mapping.sums
        count = ids = 0
        sums = list(nothing(table).sums)
        for record_id, raw in self._images.existing(self._place, after, upto):
            state = codec.decode(raw).value["current"]
            count, ids = count + 1, ids + record_id
            sums = [mine + more for mine, more in zip(sums, figures_of(table, state), strict=True)]
        return Figures(count, ids, tuple(sums))
