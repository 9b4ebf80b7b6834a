"""TLS in front of a simulator, as nginx has it in real life: tls_front.py PORT INNER-PORT CERTIFICATE KEY."""

import asyncio
import ssl
import sys


async def pump(reader, writer):
    """Passes bytes on until one side closes."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    """Listens until the process is ended."""
    port, inner = int(sys.argv[1]), int(sys.argv[2])
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(sys.argv[3], sys.argv[4])

    async def serve(reader, writer):
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", inner)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)
    async with server:
        await server.serve_forever()


asyncio.run(main())
