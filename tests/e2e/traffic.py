"""Users who go on asking while something happens, and what they were answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.e2e.site import Site


@asynccontextmanager
async def visitors(site: Site, *urls: str, every: float = 0.1) -> AsyncIterator[Counter[str]]:
    """Users who ask each address in turn; at the end, what they got: `ok`, and each failure.

    Args:
        site: The site.
        urls: The addresses.
        every: Seconds between two requests to one address.
    """
    done = Counter[str]()

    async def ask(client: httpx.AsyncClient, url: str) -> None:
        while True:
            try:
                answer = await site.ask(client, "GET", url)
                done["ok" if answer.is_success else f"{url} {answer.status_code}"] += 1
            except httpx.HTTPError as error:
                done[f"{url} {error!r}"] += 1
            await asyncio.sleep(every)

    async with site.client() as client:
        tasks = [asyncio.create_task(ask(client, url)) for url in urls]
        try:
            yield done
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
