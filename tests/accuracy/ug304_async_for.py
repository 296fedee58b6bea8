import threading

lock = threading.Lock()


async def copy(source, target):
    with lock:  #! UG304
        async for row in source:
            target.append(row)
