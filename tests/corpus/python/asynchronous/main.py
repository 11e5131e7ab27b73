import asyncio


class Channel:
    def __init__(self):
        self.lines = ["a", "b"]

    async def __aenter__(self):
        await self.connect()
        return self

    async def __aexit__(self, *why):
        self.closed = True

    async def connect(self):
        await pause()

    async def read(self):
        await pause()
        return self.lines.pop() if self.lines else ""

    def __aiter__(self):
        return self

    async def __anext__(self):
        line = await self.read()
        if not line:
            raise StopAsyncIteration
        return line


async def pause():
    await asyncio.sleep(0)


async def lines():
    async with Channel() as channel:
        first = await channel.read()
        yield tidy(first)
        async for line in channel:
            yield tidy(line)


def tidy(line):
    return line.strip()


def numbers(count):
    yield from range(count)
    yield last(count)


def last(count):
    return count


async def worker(name):
    return [line async for line in lines()], name


async def main():
    await asyncio.gather(worker("one"), worker("two"))
    task = asyncio.create_task(pause())
    await task
    return list(numbers(2))


asyncio.run(main())
