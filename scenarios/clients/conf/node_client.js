// SPDX-License-Identifier: Apache-2.0
// node_client.js ADDRESS:PORT: says a request over TLS and reads the answer, again and again.
'use strict';

const tls = require('tls');

const [host, port] = process.argv[2].split(':');

function connect() {
  const socket = tls.connect({ host, port: Number(port), rejectUnauthorized: false });
  socket.on('secureConnect', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
  socket.on('error', () => {}); // the end of the run
  socket.on('close', () => setImmediate(() => { global.gc(); connect(); }));
  socket.resume();
}

connect();
