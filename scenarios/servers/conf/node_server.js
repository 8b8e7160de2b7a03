// SPDX-License-Identifier: Apache-2.0
// node_server.js PORT CERT KEY: an echo over TLS. SIGUSR2 asks for the garbage collector (with
// --expose-gc), which gives back what a connection's objects hold outside JavaScript's heap.
'use strict';

const fs = require('fs');
const tls = require('tls');

const [port, cert, key] = process.argv.slice(2);
const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
const server = tls.createServer(options, (socket) => {
  socket.on('error', () => {}); // the peer left rudely
  socket.pipe(socket);
});
process.on('SIGUSR2', () => global.gc());
server.on('tlsClientError', () => {});
server.listen(Number(port), '127.0.0.1', 1024);
