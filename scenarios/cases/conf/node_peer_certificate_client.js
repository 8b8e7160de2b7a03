// SPDX-License-Identifier: Apache-2.0
// A TLS client that reads each server's certificate with its issuers, and collects its garbage after each.
//
// node --expose-gc node_peer_certificate_client.js ADDRESS:PORT
'use strict';

const tls = require('tls');

const [host, port] = process.argv[2].split(':');

function connect() {
  const socket = tls.connect({ host, port: Number(port), rejectUnauthorized: false });
  socket.on('secureConnect', () => { socket.getPeerCertificate(true); socket.write('hello\n'); });
  socket.on('error', () => {}); // the end of the run
  socket.on('close', () => setImmediate(() => { global.gc(); connect(); }));
  socket.resume();
}

connect();
