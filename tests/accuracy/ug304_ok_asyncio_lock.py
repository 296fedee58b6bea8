import asyncio

lock = asyncio.Lock()


async def save(row):
    async with lock:
        await asyncio.sleep(1)  # ok
