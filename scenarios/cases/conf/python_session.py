# SPDX-License-Identifier: Apache-2.0
"""A TLS echo server that looks at each connection's session, as a server does that logs resumption.

python3 python_session.py PORT CERT KEY
"""

import asyncio
import gc
import signal
import ssl
import sys


async def serve(reader, writer):
    try:
        writer.get_extra_info("ssl_object").session  # pylint: disable=expression-not-assigned
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    except (OSError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def main(port, cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    # A collection on request: what is merely not collected yet is no leak.
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, gc.collect)
    server = await asyncio.start_server(serve, "127.0.0.1", int(port), ssl=context)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:4]))
