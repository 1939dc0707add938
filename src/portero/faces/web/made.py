"""What is worked out once and then only looked up, while there is room for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

_Made = TypeVar("_Made")


class Made:
    """
    Values by key, each made by the first who asks while others who ask for the same wait for it.

    most:  values kept; the one nobody asked for longest goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, Future[Any]] = OrderedDict()

    def once(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """Give the value of a key; what `make` raises reaches all who wait, and the next who asks tries again."""
        with self._lock:
            made = self._held.get(key)
            mine = made is None
            if made is None:
                made = self._held[key] = Future()
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
            else:
                self._held.move_to_end(key)
        if mine:
            try:
                made.set_result(make())
            except BaseException as error:
                with self._lock:
                    if self._held.get(key) is made:
                        del self._held[key]
                made.set_exception(error)
        return cast("_Made", made.result())
