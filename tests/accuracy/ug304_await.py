import asyncio
import threading

lock = threading.Lock()


async def save(row):
    with lock:  #! UG304
        await asyncio.sleep(1)
