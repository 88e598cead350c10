package io.holdfast.broker.http;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How long a client may take, and that time in which the broker was away is not its fault. */
class RequestPaceTest {
  private static final HttpLimits LIMITS = new HttpLimits(1, 1, 1, 30_000, 600_000);

  private final AtomicLong clock = new AtomicLong();
  private final RequestPace pace = new RequestPace(LIMITS, clock::get);

  /** A socket that takes nothing, or one buffer at a time. */
  private static final class Slow extends EmbeddedChannel {
    private boolean takesOne;

    Slow(RequestPace pace) {
      super(false, false, pace);
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer in) {
      if (takesOne) {
        takesOne = false;
        in.remove();
      }
    }
  }

  private final Slow conn = new Slow(pace);

  @BeforeEach
  void open() throws Exception {
    conn.register();
    conn.freezeTime();
  }

  @AfterEach
  void close() {
    conn.finishAndReleaseAll();
  }

  private void away(long seconds) {
    conn.advanceTimeBy(seconds, TimeUnit.SECONDS);
    conn.runScheduledPendingTasks();
  }

  /** Event loops run, and look every 7.5 s. */
  private void run(long seconds) {
    for (long i = 0; i < seconds; i++) {
      clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
      away(1);
    }
  }

  private void send(int bytes) {
    conn.writeInbound(Unpooled.wrappedBuffer(new byte[bytes]));
  }

  private void assertOpenUntil(long seconds) {
    run(seconds - 1);
    away(3600);
    assertTrue(conn.isOpen());
    run(9);
    assertFalse(conn.isOpen());
  }

  @Test
  void shouldWaitForARequestForLong() {
    assertOpenUntil(600);
  }

  @Test
  void shouldWaitForAHeadNoLongerBecauseItComesByteByByte() {
    send(1);
    run(20);
    send(1);
    assertOpenUntil(10);
  }

  @Test
  void shouldWaitForEachPartOfABody() {
    send(100);
    pace.headRead();
    for (int i = 0; i < 10; i++) {
      run(29);
      send((int) RequestPace.MIN_BODY_BYTES);
    }
    run(20);
    send((int) RequestPace.MIN_BODY_BYTES - 1);
    assertOpenUntil(10);
  }

  @Test
  void shouldWaitForAnAnswerWhileSomeOfItIsTaken() {
    send(100);
    pace.requestRead();
    run(3600); // a handler may take its time
    for (int i = 0; i < 5; i++) {
      conn.write(Unpooled.wrappedBuffer(new byte[10]));
    }
    conn.flush();
    pace.answering();
    for (int i = 0; i < 4; i++) {
      run(22);
      conn.takesOne = true;
      conn.flush();
    }
    run(9); // so that it has seen that, up to a look ago
    assertOpenUntil(27);
  }

  @Test
  void shouldNotHurryWhoSendsAheadWhileItWaitsForAnAnswer() {
    send(100);
    pace.requestRead();
    send(100);
    run(3600);
    assertTrue(conn.isOpen());
    pace.answering();
    pace.answered();
    assertOpenUntil(600);
  }
}
