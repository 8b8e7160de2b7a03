// SPDX-License-Identifier: Apache-2.0
// node_server.js PORT CERT KEY: an echo over TLS.
'use strict';

const fs = require('fs');
const tls = require('tls');

const [port, cert, key] = process.argv.slice(2);
const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
const server = tls.createServer(options, (socket) => {
  socket.on('error', () => {}); // the peer left rudely
  socket.pipe(socket);
});
server.on('tlsClientError', () => {});
server.listen(Number(port), '127.0.0.1', 1024);
