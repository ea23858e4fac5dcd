"""Methods of the clients, each made of a call: its parameters, its words and what it answers stand there once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Generic, ParamSpec, Protocol, Self, TypeVar, overload

from cosbatch.client.calls import ApiCall

P = ParamSpec("P")
T = TypeVar("T")


class Makes(Protocol):
    """A client that waits for each answer."""

    def make(self, call: ApiCall[T]) -> T: ...


class MakesLater(Protocol):
    """A client for coroutines."""

    def make(self, call: ApiCall[T]) -> Awaitable[T]: ...


class Method(Generic[P, T]):
    """Of a client that waits; its class has it as the call's own."""

    def __init__(self, call: Callable[P, ApiCall[T]]) -> None:
        self.call = call
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...

    @overload
    def __get__(self, client: Makes, owner: type) -> Callable[P, T]: ...

    def __get__(self, client: Makes | None, owner: type) -> Self | Callable[P, T]:
        if client is None:
            return self

        @wraps(self.call)
        def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return client.make(self.call(*args, **kwargs))

        return method


class AsyncMethod(Generic[P, T]):
    """The same as a coroutine."""

    def __init__(self, call: Callable[P, ApiCall[T]]) -> None:
        self.call = call
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...

    @overload
    def __get__(self, client: MakesLater, owner: type) -> Callable[P, Awaitable[T]]: ...

    def __get__(self, client: MakesLater | None, owner: type) -> Self | Callable[P, Awaitable[T]]:
        if client is None:
            return self

        @wraps(self.call)
        async def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return await client.make(self.call(*args, **kwargs))

        return method
