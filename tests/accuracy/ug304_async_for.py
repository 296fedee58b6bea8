import threading

lock = threading.Lock()


async def copy(source, target):
    with lock:
        async for row in source:  #! UG304
            target.append(row)
