package io.holdfast.broker.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which buffers a connection's bytes are read into, and which of them are copied. */
@SuppressWarnings("deprecation") // the type that Netty asks for
class CommandBufferTest {
  private static final int LARGE = 65_540;

  private final EmbeddedChannel conn = new EmbeddedChannel(new ChannelInboundHandlerAdapter());
  private final CommandBuffer buffer = new CommandBuffer(conn.pipeline().firstContext());
  private final RecvByteBufAllocator.Handle reads =
      conn.config().getRecvByteBufAllocator().newHandle();
  private final Random random = new Random(1);

  /** All that came and has not been taken. */
  private final List<Byte> expected = new ArrayList<>();

  private final Set<ByteBuf> seen = Collections.newSetFromMap(new IdentityHashMap<>());

  @AfterEach
  void close() {
    buffer.close();
    conn.finishAndReleaseAll();
    for (ByteBuf each : seen) {
      assertEquals(0, each.refCnt());
    }
  }

  /** The socket has so many bytes; returns how many one read takes of them. */
  private int read(int atMost) {
    ByteBuf into = reads.allocate(conn.alloc());
    seen.add(into);
    byte[] bytes = new byte[Math.min(atMost, into.writableBytes())];
    random.nextBytes(bytes);
    into.writeBytes(bytes);
    for (byte each : bytes) {
      expected.add(each);
    }
    buffer.add(into);
    assertIsAllThere();
    return bytes.length;
  }

  private void assertIsAllThere() {
    assertEquals(expected.size(), buffer.readable());
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(
          expected.get(i), buffer.bytes().getByte(buffer.bytes().readerIndex() + i), "" + i);
    }
  }

  private void receive(int size) {
    buffer.receive(size);
    seen.add(buffer.bytes());
    assertIsAllThere();
  }

  private void take(int size) {
    buffer.bytes().skipBytes(size);
    expected.subList(0, size).clear();
    buffer.done(size);
    buffer.discardRead();
  }

  @Test
  void shouldReadTheRestOfALargeCommandBehindItsBegin() {
    read(100);
    receive(LARGE);
    ByteBuf sized = buffer.bytes();
    assertEquals(LARGE - 100 + CommandBuffer.NEXT_BYTES, sized.writableBytes());
    assertEquals(1000, read(1000));
    // To its end and little more, however much has come.
    assertEquals(LARGE - 1100 + CommandBuffer.NEXT_BYTES, read(1 << 20));
    assertSame(sized, buffer.bytes());
    take(LARGE);
    assertEquals(CommandBuffer.NEXT_BYTES, buffer.readable());
  }

  @Test
  void shouldReadOneLargeCommandAfterTheOtherIntoTheSameBuffer() {
    read(100);
    receive(LARGE);
    ByteBuf first = buffer.bytes();
    for (int i = 0; i < 20; i++) {
      read(1 << 20);
      take(LARGE);
      receive(LARGE);
      assertSame(first, buffer.bytes());
    }
  }

  @Test
  void shouldReadTheLineBehindALargeCommandAlone() {
    read(100);
    receive(LARGE);
    read(LARGE - 100);
    take(LARGE);
    assertNull(buffer.bytes());
    assertEquals(CommandBuffer.NEXT_BYTES, read(1 << 20));
    receive(LARGE);
    read(1 << 20);
    take(LARGE);
    take(20);
    read(1000);
    // Not a large one: as much as comes again.
    assertTrue(read(1 << 20) >= 1024);
  }

  @Test
  void shouldReadSmallCommandsManyAtATime() {
    read(100);
    receive(CommandBuffer.LARGE_BYTES - 1);
    ByteBuf begun = buffer.bytes();
    ByteBuf next = reads.allocate(conn.alloc());
    assertNotSame(begun, next);
    next.release();
  }

  @Test
  void shouldReadNothingEncryptedOrCompressedIntoACommand() {
    read(100);
    receive(LARGE);
    conn.pipeline().addFirst(new ChannelInboundHandlerAdapter());
    ByteBuf next = reads.allocate(conn.alloc());
    assertNotSame(buffer.bytes(), next);
    next.release();
    receive(LARGE);
    read(1000);
    assertEquals(1100, buffer.readable());
  }

  @Test
  void shouldGrowInStepsForWhatIsLargerThanItSaid() {
    read(100);
    int size = LARGE;
    while (size < 1 << 20) {
      receive(size);
      read(1 << 20);
      size = buffer.readable() + 100;
    }
    assertTrue(seen.size() < (1 << 20) / CommandBuffer.SLACK_BYTES + 4, seen.size() + " buffers");
  }

  @Test
  void shouldNotKeepALargeBufferForTheBeginOfAnotherCommand() {
    read(100);
    receive(LARGE);
    read(LARGE);
    take(LARGE);
    expected.clear();
    buffer.release();
    read(20);
    buffer.trim();
    assertTrue(buffer.bytes().capacity() <= 4096, buffer.bytes().capacity() + " bytes");
    assertIsAllThere();
    seen.add(buffer.bytes());
  }
}
