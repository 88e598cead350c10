package io.holdfast.broker.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.net.ReadGate.Reason;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A connection is read from when nobody has a reason against it. */
class ReadGateTest {
  private final EmbeddedChannel conn = new EmbeddedChannel();
  private final AtomicInteger opened = new AtomicInteger();
  private final ReadGate gate = new ReadGate(conn.config(), opened::incrementAndGet);

  @AfterEach
  void close() {
    conn.finishAndReleaseAll();
  }

  @Test
  void shouldOpenWithTheLastReason() {
    gate.close(Reason.COMMAND);
    gate.close(Reason.OUTPUT);
    gate.close(Reason.OUTPUT);
    gate.open(Reason.COMMAND);
    assertFalse(conn.config().isAutoRead());
    assertEquals(0, opened.get());
    gate.open(Reason.OUTPUT);
    assertTrue(conn.config().isAutoRead());
    assertEquals(1, opened.get());
    gate.open(Reason.OUTPUT);
    assertEquals(1, opened.get());
  }

  @ParameterizedTest
  @EnumSource(Reason.class)
  void shouldCloseForEachReasonButAHandshake(Reason reason) {
    gate.set(reason, true);
    assertTrue(gate.isClosedFor(reason));
    assertFalse(gate.isClosedBesides(reason));
    assertEquals(reason == Reason.HANDSHAKE, conn.config().isAutoRead());
    boolean isOfACommand =
        reason == Reason.COMMAND || reason == Reason.HANDSHAKE || reason == Reason.ROOM;
    assertEquals(!isOfACommand, gate.mayRun());
    gate.set(reason, false);
    assertTrue(conn.config().isAutoRead());
    assertTrue(gate.mayRun());
  }

  @Test
  void shouldReadWhateverTheReasonsOnceItDrains() {
    gate.close(Reason.OUTPUT);
    gate.drain();
    assertTrue(conn.config().isAutoRead());
    gate.close(Reason.ENDED);
    assertTrue(conn.config().isAutoRead());
    assertTrue(gate.isClosedBesides(Reason.DECOMPRESSION));
  }
}
