/* SPDX-License-Identifier: Apache-2.0 */
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.SSLEngine;

/**
 * A TLS echo server on netty and netty-tcnative, to be put under soak. Arguments are pairs of a
 * name and a value: see {@link #DEFAULTS}.
 *
 * <p>{@code --engines} plants what the three hypotheses of docs/case-netty.md say:
 * <ul>
 * <li>{@code plain}: one engine per connection, which netty closes. What grows now is netty's.
 * <li>{@code kept}: a second engine per connection stays in a list for good.
 * <li>{@code dropped}: a second engine per connection is forgotten without being closed. With the
 *     provider {@code openssl} its finalizer frees it once the collector has found it; with
 *     {@code openssl_refcnt} nothing ever does.
 * </ul>
 */
public final class EchoServer {
    private static final Map<String, String> DEFAULTS = Map.of(
        "--listen", "127.0.0.1:8443", "--cert", "", "--key", "",
        "--client-ca", "", // not empty: clients must have a certificate of this CA
        "--provider", "openssl", // or openssl_refcnt
        "--tls", "1.3", // or 1.2
        "--engines", "plain");

    private final Map<String, String> options = new HashMap<>(DEFAULTS);
    private final SslContext context;
    private final List<SSLEngine> kept = Collections.synchronizedList(new ArrayList<>());

    private EchoServer(String[] arguments) throws Exception {
        for (int i = 0; i < arguments.length; i += 2) {
            if (!DEFAULTS.containsKey(arguments[i]) || i + 1 == arguments.length)
                throw new IllegalArgumentException("bad argument '" + arguments[i] + "'");
            options.put(arguments[i], arguments[i + 1]);
        }
        if (!List.of("plain", "kept", "dropped").contains(options.get("--engines")))
            throw new IllegalArgumentException("--engines: plain, kept or dropped");
        context = newContext();
    }

    private SslContext newContext() throws Exception {
        SslContextBuilder builder =
            SslContextBuilder.forServer(file("--cert"), file("--key"))
                .sslProvider(SslProvider.valueOf(options.get("--provider").toUpperCase(Locale.ROOT)))
                .protocols("TLSv" + options.get("--tls"));
        if (!options.get("--client-ca").isEmpty())
            builder.trustManager(file("--client-ca")).clientAuth(ClientAuth.REQUIRE);
        return builder.build();
    }

    private File file(String option) {
        return new File(options.get(option));
    }

    /** The engine that is planted beside the connection's own, if any. */
    private void plantEngine(ByteBufAllocator allocator) {
        String engines = options.get("--engines");
        if (engines.equals("plain"))
            return;
        SSLEngine engine = context.newEngine(allocator);
        if (engines.equals("kept"))
            kept.add(engine);
    }

    private void run() throws InterruptedException {
        int colon = options.get("--listen").lastIndexOf(':');
        String host = options.get("--listen").substring(0, colon);
        int port = Integer.parseInt(options.get("--listen").substring(colon + 1));
        EventLoopGroup loops = new NioEventLoopGroup(1);
        try {
            new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ConnectionInitializer())
                .bind(host, port).sync().channel()
                .closeFuture().sync();
        } finally {
            loops.shutdownGracefully();
        }
    }

    private final class ConnectionInitializer extends ChannelInitializer<Channel> {
        @Override
        protected void initChannel(Channel channel) {
            plantEngine(channel.alloc());
            channel.pipeline().addLast(context.newHandler(channel.alloc()), new EchoHandler());
        }
    }

    private static final class EchoHandler extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext connection, Object data) {
            connection.writeAndFlush(data);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext connection, Throwable cause) {
            connection.close(); // a peer that reset or sent no TLS
        }
    }

    public static void main(String[] arguments) throws Exception {
        new EchoServer(arguments).run();
    }
}
