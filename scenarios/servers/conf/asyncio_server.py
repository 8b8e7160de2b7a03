# SPDX-License-Identifier: Apache-2.0
"""asyncio_server.py PORT CERT KEY: an echo over TLS with asyncio, in one thread.

What asyncio leaves of a connection is a circle of objects, which waits for the garbage collector:
SIGUSR1 asks for it."""

import asyncio
import gc
import signal
import ssl
import sys


async def echo(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (OSError, ssl.SSLError):
        pass  # the peer left rudely
    finally:
        writer.transport.abort()


async def main(port, cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, gc.collect)
    server = await asyncio.start_server(echo, "127.0.0.1", int(port), ssl=context, backlog=1024)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
