<?php
// SPDX-License-Identifier: Apache-2.0
// mysql_client.php HOST:PORT: logs in to a database over TLS, and out, again and again.
[$host, $port] = explode(':', $argv[1]);
mysqli_report(MYSQLI_REPORT_OFF);
while (true) {
    $database = mysqli_init();
    @$database->real_connect($host, 'soak', 'secret', '', (int)$port, null,
                             MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT);
    if (mysqli_connect_errno())
        fwrite(STDERR, mysqli_connect_error() . "\n");
    else
        $database->close();
}
