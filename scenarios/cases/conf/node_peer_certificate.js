// SPDX-License-Identifier: Apache-2.0
// A TLS echo server that reads each client's certificate with its issuers.
//
// node --expose-gc node_peer_certificate.js PORT CERT KEY CA
'use strict';
const fs = require('fs');
const tls = require('tls');
const [port, cert, key, ca] = process.argv.slice(2);
const read = (path) => fs.readFileSync(path);

tls.createServer({ cert: read(cert), key: read(key), ca: read(ca), requestCert: true,
                   rejectUnauthorized: true }, (socket) => {
  socket.getPeerCertificate(true);
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
}).on('tlsClientError', () => {}).listen(Number(port), '127.0.0.1');

// A collection on request: memory that is merely not collected yet is no leak.
process.on('SIGUSR2', () => global.gc());
