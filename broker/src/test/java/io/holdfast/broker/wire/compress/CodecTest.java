package io.holdfast.broker.wire.compress;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.MemoryPart;
import io.holdfast.broker.net.ReadGate;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.compression.DecompressionException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xerial.snappy.SnappyFramedInputStream;
import org.xerial.snappy.SnappyFramedOutputStream;

/** Both codecs against independent ones: snappy-java and java.util.zip. */
@SuppressWarnings("FutureReturnValueIgnored") // An EmbeddedChannel shows failures itself.
class CodecTest {
  private static final int[] SIZES = {
    1, 2, 17, 18, 19, 100, 4096, 32_767, 32_768, 65_535, 65_536, 65_537, 131_070, 1_048_576
  };

  enum Codec {
    SNAPPY {
      @Override
      EmbeddedChannel channel() {
        return pair(new SnappyEncoder(), SnappyDecoder::new);
      }

      @Override
      byte[] decode(byte[] compressed) throws IOException {
        try (var in = new SnappyFramedInputStream(new ByteArrayInputStream(compressed), true)) {
          return in.readAllBytes();
        }
      }

      @Override
      byte[] encode(List<byte[]> bodies) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        SnappyFramedOutputStream out = new SnappyFramedOutputStream(bytes);
        for (byte[] body : bodies) {
          out.write(body);
          out.flush();
        }
        return bytes.toByteArray();
      }
    },
    DEFLATE {
      @Override
      EmbeddedChannel channel() {
        return pair(new DeflateEncoder(6), DeflateDecoder::new);
      }

      @Override
      byte[] decode(byte[] compressed) throws IOException {
        Inflater inflater = new Inflater(true);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (var in = new InflaterInputStream(new ByteArrayInputStream(compressed), inflater)) {
          byte[] piece = new byte[65_536];
          // Sync-flushed, not finished: all must come out before the end of input is an error.
          while (inflater.getRemaining() > 0 || in.available() > 0) {
            int n;
            try {
              n = in.read(piece);
            } catch (EOFException e) {
              break;
            }
            out.write(piece, 0, n);
          }
        } finally {
          inflater.end();
        }
        return out.toByteArray();
      }

      @Override
      byte[] encode(List<byte[]> bodies) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Deflater deflater = new Deflater(1, true);
        try {
          var out = new DeflaterOutputStream(bytes, deflater, 512, true);
          for (byte[] body : bodies) {
            out.write(body);
            out.flush();
          }
        } finally {
          deflater.end();
        }
        return bytes.toByteArray();
      }
    };

    abstract EmbeddedChannel channel();

    static EmbeddedChannel pair(
        ChannelHandler encoder, BiFunction<ReadGate, ConnectionMemory, ChannelHandler> decoder) {
      EmbeddedChannel channel = new EmbeddedChannel(encoder);
      channel
          .pipeline()
          .addLast(
              decoder.apply(
                  new ReadGate(channel.config(), () -> {}),
                  new ConnectionMemory(new MemoryPart(0))));
      return channel;
    }

    abstract byte[] decode(byte[] compressed) throws IOException;

    abstract byte[] encode(List<byte[]> bodies) throws IOException;
  }

  private static byte[] body(int size, boolean compressible) {
    byte[] body = new byte[size];
    if (compressible) {
      byte[] text = "{\"id\":12345,\"name\":\"holdfast\"},".getBytes(StandardCharsets.US_ASCII);
      for (int i = 0; i < size; i++) {
        body[i] = text[(i + i / 977) % text.length];
      }
    } else {
      new Random(size).nextBytes(body);
    }
    return body;
  }

  private static List<byte[]> bodies() {
    return Arrays.stream(SIZES)
        .boxed()
        .flatMap(size -> Stream.of(body(size, true), body(size, false)))
        .toList();
  }

  private static byte[] join(List<byte[]> parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    parts.forEach(all::writeBytes);
    return all.toByteArray();
  }

  private static byte[] outbound(EmbeddedChannel channel) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
      all.writeBytes(bytes(out));
    }
    return all.toByteArray();
  }

  private static byte[] inbound(EmbeddedChannel channel) {
    channel.runPendingTasks();
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (ByteBuf in = channel.readInbound(); in != null; in = channel.readInbound()) {
      assertTrue(in.readableBytes() <= 65_536, "piece of " + in.readableBytes());
      all.writeBytes(bytes(in));
    }
    return all.toByteArray();
  }

  private static byte[] bytes(ByteBuf buffer) {
    byte[] bytes = new byte[buffer.readableBytes()];
    buffer.readBytes(bytes);
    buffer.release();
    return bytes;
  }

  @ParameterizedTest
  @EnumSource
  void shouldEncodeForAnIndependentDecoder(Codec codec) throws IOException {
    EmbeddedChannel channel = codec.channel();
    ByteArrayOutputStream sent = new ByteArrayOutputStream();
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    for (byte[] body : bodies()) {
      channel.writeOneOutbound(Unpooled.copiedBuffer(body));
      channel.flush();
      plain.writeBytes(body);
      sent.writeBytes(outbound(channel));
      if (body.length < 70_000) {
        // After each flush the peer must be able to see all so far.
        assertArrayEquals(plain.toByteArray(), codec.decode(sent.toByteArray()));
      }
    }
    assertArrayEquals(plain.toByteArray(), codec.decode(sent.toByteArray()));
    channel.finishAndReleaseAll();
  }

  @ParameterizedTest
  @EnumSource
  void shouldDecodeWhatAnIndependentEncoderSends(Codec codec) throws IOException {
    EmbeddedChannel channel = codec.channel();
    byte[] compressed = codec.encode(bodies());
    channel.writeInbound(Unpooled.wrappedBuffer(compressed));
    assertArrayEquals(join(bodies()), inbound(channel));
    channel.finishAndReleaseAll();
  }

  @ParameterizedTest
  @EnumSource
  void shouldDecodeByteAtATime(Codec codec) throws IOException {
    EmbeddedChannel channel = codec.channel();
    List<byte[]> bodies = List.of(body(1, true), body(5000, true), body(70_000, false));
    ByteArrayOutputStream received = new ByteArrayOutputStream();
    for (byte b : codec.encode(bodies)) {
      channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {b}));
      received.writeBytes(inbound(channel));
    }
    assertArrayEquals(join(bodies), received.toByteArray());
    channel.finishAndReleaseAll();
  }

  @ParameterizedTest
  @EnumSource
  void shouldCompressManySmallWritesTogether(Codec codec) throws IOException {
    EmbeddedChannel channel = codec.channel();
    ChannelFuture first = channel.writeOneOutbound(Unpooled.wrappedBuffer(body(40, true)));
    for (int i = 1; i < 1000; i++) {
      channel.writeOneOutbound(Unpooled.wrappedBuffer(body(40, true)));
    }
    assertFalse(first.isDone(), "sent before the flush");
    channel.flush();
    assertTrue(first.isSuccess());
    assertEquals(1, channel.outboundMessages().size());
    byte[] sent = outbound(channel);
    assertEquals(40_000, codec.decode(sent).length);
    assertTrue(sent.length < 10_000, sent.length + " bytes");
    channel.flush();
    assertEquals(0, outbound(channel).length, "a flush of nothing sends nothing");
    channel.finishAndReleaseAll();
  }

  @ParameterizedTest
  @EnumSource
  void shouldFailWhatWaitsWhenClosed(Codec codec) {
    EmbeddedChannel channel = codec.channel();
    ByteBuf waiting = Unpooled.wrappedBuffer(body(40, true));
    ChannelFuture write = channel.writeOneOutbound(waiting);
    channel.close();
    channel.runPendingTasks();
    assertFalse(write.isSuccess());
    assertEquals(0, waiting.refCnt());
  }

  @ParameterizedTest
  @EnumSource
  void shouldReportGarbageOnceAndDiscardTheRest(Codec codec) {
    EmbeddedChannel channel = codec.channel();
    byte[] garbage = new byte[100];
    Arrays.fill(garbage, (byte) 0x77);
    assertThrows(
        DecompressionException.class, () -> channel.writeInbound(Unpooled.wrappedBuffer(garbage)));
    ByteBuf more = Unpooled.wrappedBuffer(garbage.clone());
    channel.writeInbound(more);
    assertEquals(0, more.refCnt());
    assertEquals(0, inbound(channel).length);
    channel.finishAndReleaseAll();
  }

  @Test
  void shouldEndTheInputAtTheEndOfADeflateStream() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Deflater deflater = new Deflater(6, true);
    try (var out = new DeflaterOutputStream(bytes, deflater)) {
      out.write(body(100, true));
    } finally {
      deflater.end();
    }
    bytes.writeBytes(new byte[50]);
    List<Object> events = new ArrayList<>();
    EmbeddedChannel channel = Codec.DEFLATE.channel();
    channel
        .pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
                events.add(event);
              }
            });
    channel.writeInbound(Unpooled.wrappedBuffer(bytes.toByteArray()));
    assertArrayEquals(body(100, true), inbound(channel));
    // Whoever reads behind it answers what it owes, and closes then.
    assertEquals(List.of(ChannelInputShutdownEvent.INSTANCE), events);
    channel.writeInbound(Unpooled.wrappedBuffer(new byte[50]));
    assertEquals(0, channel.inboundMessages().size());
  }

  @Test
  void shouldRefuseHostileSnappyChunks() throws IOException {
    byte[] good = Codec.SNAPPY.encode(List.of(body(5000, true)));
    byte[] badChecksum = good.clone();
    badChecksum[14] ^= 1;
    byte[] identifier = Arrays.copyOf(good, 10);
    List<byte[]> hostile =
        List.of(
            badChecksum,
            new byte[] {0, 5, 0, 0, 0, 0, 0, 0, 0}, // no identifier
            join(List.of(identifier, new byte[] {0, -1, -1, -1})), // 16 MiB compressed
            join(List.of(identifier, new byte[] {1, 5, 0, 1})), // 64 KiB + 1 uncompressed
            join(List.of(identifier, new byte[] {2, 0, 0, 0})), // reserved, not skippable
            join(List.of(identifier, new byte[] {0, 4, 0, 0, 0, 0, 0, 0})), // no block
            // a block that says 4 GiB
            join(List.of(identifier, new byte[] {0, 9, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, 15})),
            // a block of 1 byte that is a literal of 4
            join(List.of(identifier, new byte[] {0, 10, 0, 0, 0, 0, 0, 0, 1, 12, 1, 2, 3, 4})),
            // a block that ends within a literal
            join(List.of(identifier, new byte[] {0, 7, 0, 0, 0, 0, 0, 0, 4, 12, 1})));
    for (byte[] stream : hostile) {
      EmbeddedChannel channel = Codec.SNAPPY.channel();
      assertThrows(
          DecompressionException.class,
          () -> channel.writeInbound(Unpooled.wrappedBuffer(stream)),
          Arrays.toString(stream));
      channel.finishAndReleaseAll();
    }
  }

  @Test
  void shouldSkipSkippableSnappyChunksOfAnySize() throws IOException {
    byte[] good = Codec.SNAPPY.encode(List.of(body(500, true)));
    EmbeddedChannel channel = Codec.SNAPPY.channel();
    channel.writeInbound(Unpooled.copiedBuffer(good, 0, 10));
    channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {(byte) 0xfe, -1, -1, -1}));
    for (int left = 0xffffff; left > 0; left -= 65_536) {
      channel.writeInbound(Unpooled.wrappedBuffer(new byte[Math.min(left, 65_536)]));
    }
    channel.writeInbound(Unpooled.copiedBuffer(good, 10, good.length - 10));
    assertArrayEquals(body(500, true), inbound(channel));
    channel.finishAndReleaseAll();
  }
}
