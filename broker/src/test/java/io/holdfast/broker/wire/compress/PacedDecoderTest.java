package io.holdfast.broker.wire.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.MemoryPart;
import io.holdfast.broker.net.ReadGate;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.compression.DecompressionException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A small input that expands a thousandfold, over a real socket. */
class PacedDecoderTest {
  private static final int MIB = 1024 * 1024;
  private static final int BOMB_MIB = 200;

  /** Comes with one read from the socket. */
  private static final int SMALL_BOMB_MIB = 8;

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Sink sink = new Sink();
  private final ConnectionMemory memory = new ConnectionMemory(new MemoryPart(0));

  @AfterEach
  void stop() {
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  /** Wants no more input after each MiB until resumed. */
  private static final class Sink extends ChannelInboundHandlerAdapter {
    volatile boolean pauseEachMib;
    volatile boolean paused;
    volatile long bytes;
    volatile long mostInATurn;
    volatile boolean inactive;
    volatile ChannelHandlerContext ctx;
    volatile long drainsAt = Long.MAX_VALUE;
    volatile long tlsAt = Long.MAX_VALUE;
    final AtomicInteger timesOpened = new AtomicInteger();
    private ReadGate gate;
    private long turnBytes;
    private long resumedAt;

    @Override
    public void channelActive(ChannelHandlerContext context) {
      ctx = context;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // One event loop writes, the test reads.
    public void channelRead(ChannelHandlerContext context, Object msg) {
      ByteBuf piece = (ByteBuf) msg;
      if (turnBytes == 0) {
        context.executor().execute(() -> turnBytes = 0);
      }
      turnBytes += piece.readableBytes();
      mostInATurn = Math.max(mostInATurn, turnBytes);
      bytes += piece.readableBytes();
      piece.release();
      if (bytes >= drainsAt) {
        gate.drain();
      }
      if (bytes >= tlsAt) {
        gate.close(ReadGate.Reason.HANDSHAKE);
        PacedDecoder decoder = context.pipeline().get(PacedDecoder.class);
        decoder.dropReceived(context.pipeline().context(decoder));
      }
      if (pauseEachMib && bytes - resumedAt >= MIB) {
        paused = true;
        gate.close(ReadGate.Reason.OUTPUT);
      }
    }

    void resume() {
      resumedAt = bytes;
      paused = false;
      gate.open(ReadGate.Reason.OUTPUT);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      inactive = true;
    }
  }

  private Channel serve() {
    return new ServerBootstrap()
        .group(group)
        .channel(NioServerSocketChannel.class)
        .childHandler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                sink.gate = new ReadGate(channel.config(), sink.timesOpened::incrementAndGet);
                channel.pipeline().addLast(new DeflateDecoder(sink.gate, memory), sink);
              }
            })
        .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .syncUninterruptibly()
        .channel();
  }

  private static byte[] bomb(int mib) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Deflater deflater = new Deflater(9, true);
    try {
      var out = new DeflaterOutputStream(bytes, deflater, 8192, true);
      for (int i = 0; i < mib; i++) {
        out.write(new byte[MIB]);
      }
      out.flush();
    } finally {
      deflater.end();
    }
    return bytes.toByteArray();
  }

  @Test
  void shouldLetOthersRunBetweenBoundedTurns() throws IOException {
    try (Socket socket = connect(serve())) {
      socket.getOutputStream().write(bomb(BOMB_MIB));
      await().until(() -> sink.bytes == (long) BOMB_MIB * MIB);
      assertTrue(sink.mostInATurn <= 2 * MIB, sink.mostInATurn + " bytes in one turn");
    }
    // Only an auto-read switched on again sees the end of the connection.
    await().until(() -> sink.inactive);
  }

  @Test
  void shouldStopWhileTheConnectionWantsNoInput() throws IOException {
    sink.pauseEachMib = true;
    try (Socket socket = connect(serve())) {
      socket.getOutputStream().write(bomb(BOMB_MIB));
      for (int i = 1; i <= BOMB_MIB; i++) {
        await().until(() -> sink.paused);
        long seen = sink.bytes;
        assertTrue(seen <= (long) i * (MIB + 32 * 1024), seen + " bytes after " + i + " MiB");
        sink.ctx.executor().submit(() -> {}).syncUninterruptibly();
        assertEquals(seen, sink.bytes, "went on while paused");
        if (seen == (long) BOMB_MIB * MIB) {
          break;
        }
        sink.ctx.executor().submit(sink::resume).syncUninterruptibly();
        if (seen + MIB > (long) BOMB_MIB * MIB) {
          break;
        }
      }
      await().until(() -> sink.bytes == (long) BOMB_MIB * MIB);
    }
  }

  /** At once or in a later turn, when nothing is read from the socket. */
  @ParameterizedTest
  @ValueSource(longs = {MIB / 2, 3L * MIB + MIB / 2})
  void shouldReadAndThrowAwayWhatComesOnceTheConnectionDrains(long drainsAt) throws IOException {
    sink.drainsAt = drainsAt;
    try (Socket socket = connect(serve())) {
      socket.getOutputStream().write(bomb(SMALL_BOMB_MIB));
      await().until(() -> sink.bytes >= drainsAt);
    }
    // Only who reads on sees the end of the connection.
    await().until(() -> sink.inactive);
    assertTrue(sink.bytes < drainsAt + 2 * MIB, sink.bytes + " bytes passed on");
  }

  /** Nobody takes what came too early: it must not be looked at in turn after turn. */
  @ParameterizedTest
  @ValueSource(longs = {MIB / 2, 3L * MIB + MIB / 2})
  void shouldDropWhatCameBeforeTlsAndLetItReadTheSocket(long tlsAt) throws IOException {
    sink.tlsAt = tlsAt;
    try (Socket socket = connect(serve())) {
      socket.getOutputStream().write(bomb(SMALL_BOMB_MIB));
      await().until(() -> sink.bytes >= tlsAt);
      int turns = 0;
      for (; turns < 1_000; turns++) {
        sink.ctx.executor().submit(() -> {}).syncUninterruptibly();
      }
      int opened = sink.timesOpened.get();
      assertTrue(opened < turns / 10, opened + " times in " + turns + " turns of the event loop");
    }
    // Only who reads on sees the end of the connection.
    await().until(() -> sink.inactive);
    assertTrue(sink.bytes < tlsAt + MIB, sink.bytes + " bytes passed on");
  }

  @Test
  void shouldTakeNoMoreThanThereIsMemoryForWhileNothingIsAskedFor() {
    MemoryPart part = new MemoryPart(100_000);
    EmbeddedChannel conn = new EmbeddedChannel();
    ReadGate gate = new ReadGate(conn.config(), () -> {});
    ConnectionMemory paying = new ConnectionMemory(part);
    conn.pipeline().addLast(new DeflateDecoder(gate, paying));
    gate.close(ReadGate.Reason.ROOM);
    // What is read at once when a client ends its direction, whatever was asked for.
    for (int i = 0; i < 3; i++) {
      conn.writeInbound(Unpooled.wrappedBuffer(new byte[64 * 1024]));
    }
    assertEquals(64 * 1024, part.usedBytes());
    assertThrows(
        DecompressionException.class,
        () -> conn.writeInbound(Unpooled.wrappedBuffer(new byte[64 * 1024])));
    assertFalse(conn.writeInbound(Unpooled.wrappedBuffer(new byte[1])), "nothing is passed on");
    paying.release();
    assertEquals(0, part.usedBytes());
    conn.finishAndReleaseAll();
  }

  private static ConditionFactory await() {
    return Awaitility.with()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .await()
        .atMost(Duration.ofMinutes(2)); // a busy machine takes its time over 200 MiB
  }

  private static Socket connect(Channel server) throws IOException {
    InetSocketAddress address = (InetSocketAddress) server.localAddress();
    return new Socket(address.getAddress(), address.getPort());
  }
}
