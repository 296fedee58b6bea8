import asyncio
import threading

lock = threading.Lock()


async def save(row):
    with lock:
        await asyncio.sleep(1)  #! UG304
