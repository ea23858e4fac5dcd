"""The SDK: the service from Python, over its JSON API.

::

    from cosbatch.client import Client

    with Client("https://batch.example.com", token="cosb_...") as client:
        job = client.create_job(document)
        for job in client.watch_job(job.id):
            print(job.status, job.tally.succeeded, job.total)

:class:`AsyncClient` has the same methods as coroutines. What they return are the dataclasses of :mod:`cosbatch.model`;
what they raise is the tree of :mod:`cosbatch.model.errors`.
"""

from cosbatch.client.async_client import AsyncClient
from cosbatch.client.http_transport import AsyncHttpTransport, HttpTransport, ServerAddress
from cosbatch.client.sync_client import Client
from cosbatch.client.transport import ApiAnswer, ApiRequest, AsyncTransport, Transport

__all__ = [
    "ApiAnswer",
    "ApiRequest",
    "AsyncClient",
    "AsyncHttpTransport",
    "AsyncTransport",
    "Client",
    "HttpTransport",
    "ServerAddress",
    "Transport",
]
