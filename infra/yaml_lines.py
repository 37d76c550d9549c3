"""Where in a YAML text something stands, so that a mistake can be named by its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import yaml


class Lines:
    """The lines of a text. Raises `yaml.YAMLError` for what is no YAML."""

    def __init__(self, text: str) -> None:
        """Read the text, without making anything of it."""
        self._root = yaml.compose(text, Loader=yaml.SafeLoader)

    def of(self, path: Sequence[str | int], word: str = "") -> int:
        """The line (from 1) of what stands at the end of a path of keys and positions.

        Parts that are not there are passed over, so that the path may lead to what is missing: the line is then that of what lacks it.
        Where `word` is a key of what is found, the line is that of the key.
        """
        node, line = self._root, 1
        for part in (*path, word):
            match node:
                case yaml.MappingNode():
                    pairs = [(key, value) for key, value in node.value if key.value == part]
                    if pairs:
                        line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
                case yaml.SequenceNode() if isinstance(part, int) and part < len(node.value):
                    node = node.value[part]
                    line = node.start_mark.line + 1
        return line

    def twice(self) -> Iterator[tuple[int, str]]:
        """Line and name of each key that stands in its mapping for the second time: a reader would silently take the last."""
        stack, seen = [self._root], set[int]()
        while stack:
            node = stack.pop()
            if node is None or id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                stack += node.value
            elif isinstance(node, yaml.MappingNode):
                known: set[str] = set()
                for key, value in node.value:
                    stack += [key, value]
                    if isinstance(key, yaml.ScalarNode):
                        if key.value in known:
                            yield key.start_mark.line + 1, key.value
                        known.add(key.value)
