/* SPDX-License-Identifier: Apache-2.0 */
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.io.File;
import java.nio.charset.StandardCharsets;

/**
 * A TLS client on netty and netty-tcnative, to be put under soak: {@code EchoClient HOST:PORT CA} says
 * a request and reads the answer, again and again, one connection at a time.
 */
public final class EchoClient {
    /** Says the request once the handshake is done, and throws the answer away. */
    private static final class Talk extends ChannelInboundHandlerAdapter {
        @Override
        public void channelActive(ChannelHandlerContext connection) {
            connection.writeAndFlush(Unpooled.copiedBuffer("GET / HTTP/1.0\r\n\r\n", StandardCharsets.US_ASCII));
        }

        @Override
        public void channelRead(ChannelHandlerContext connection, Object data) {
            ReferenceCountUtil.release(data);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext connection, Object event) {
            if (event instanceof SslCloseCompletionEvent)
                connection.close(); // the server waits for it after its close_notify
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext connection, Throwable cause) {
            connection.close(); // a server that resets
        }
    }

    public static void main(String[] arguments) throws Exception {
        int colon = arguments[0].lastIndexOf(':');
        String host = arguments[0].substring(0, colon);
        int port = Integer.parseInt(arguments[0].substring(colon + 1));
        SslContext context = SslContextBuilder.forClient()
            .sslProvider(SslProvider.OPENSSL_REFCNT)
            .trustManager(new File(arguments[1]))
            .build();
        Bootstrap bootstrap = new Bootstrap()
            .group(new NioEventLoopGroup(1))
            .channel(NioSocketChannel.class)
            .handler(new ChannelInitializer<Channel>() {
                @Override
                protected void initChannel(Channel channel) {
                    SslHandler tls = context.newHandler(channel.alloc(), host, port);
                    channel.pipeline().addLast(tls, new Talk());
                }
            });
        while (true)
            bootstrap.connect(host, port).sync().channel().closeFuture().sync();
    }
}
