"""Measures QEMU's own Python client (the package qemu.qmp) with the server at a socket. Prints calls per second as JSON."""

import asyncio
import json
import sys
import time

from qemu.qmp import QMPClient


async def main(path: str, sequential: int, pipelined: int) -> None:
    client = QMPClient('bench')
    await client.connect(path)
    rates = {'sequential': [], 'pipelined': []}
    for _ in range(3):
        begin = time.perf_counter()
        for _ in range(sequential):
            await client.execute('query-status')
        rates['sequential'].append(sequential / (time.perf_counter() - begin))
        begin = time.perf_counter()
        await asyncio.gather(*(client.execute('query-status') for _ in range(pipelined)))
        rates['pipelined'].append(pipelined / (time.perf_counter() - begin))
    await client.disconnect()
    print(json.dumps({name: sorted(values)[1] for name, values in rates.items()}))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
