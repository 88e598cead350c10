package io.holdfast.broker.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.limits.OutputBudget;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who gets less, and who is closed, as output piles up that clients do not take. */
class PendingOutputTest {
  private static final int MAX_BYTES = 1 << 20;

  /** A socket that takes nothing, or one buffer at a time. */
  private static final class Slow extends EmbeddedChannel {
    private boolean takesOne;

    Slow() {
      super(new ChannelInboundHandlerAdapter());
      freezeTime();
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer in) {
      if (takesOne) {
        takesOne = false;
        in.remove();
      }
    }

    ChannelHandlerContext ctx() {
      return pipeline().firstContext();
    }

    void write(int bytes) {
      writeAndFlush(Unpooled.wrappedBuffer(new byte[bytes]));
    }

    void takeOne() {
      takesOne = true;
      flush();
    }

    void look() {
      advanceTimeBy(20, TimeUnit.MILLISECONDS);
      runScheduledPendingTasks();
    }
  }

  private final OutputBudget budget = new OutputBudget(MAX_BYTES);
  private final AtomicLong clock = new AtomicLong();
  private final AtomicInteger changes = new AtomicInteger();
  private final Slow slow = new Slow();
  private final Slow small = new Slow();

  /** Closed by the first look that finds neither progress nor room. */
  private final PendingOutput pending =
      new PendingOutput(slow.ctx(), budget, changes::incrementAndGet, -1, clock::get);

  private final PendingOutput pendingOfSmall =
      new PendingOutput(small.ctx(), budget, changes::incrementAndGet, -1, clock::get);

  @AfterEach
  void close() {
    pending.release();
    pendingOfSmall.release();
    assertEquals(0, budget.usedBytes());
    slow.finishAndReleaseAll();
    small.finishAndReleaseAll();
  }

  @Test
  void shouldStopDeliveryAloneWhileMemoryIsLeft() {
    slow.write(MAX_BYTES / 2);
    pending.flushed();
    for (int i = 0; i < 5; i++) {
      slow.look();
    }
    assertTrue(slow.isOpen());
    assertFalse(pending.mayDeliver());
    assertTrue(pending.mayRead());
    assertTrue(pendingOfSmall.mayDeliver());
    slow.takeOne();
    int before = changes.get();
    slow.look();
    assertTrue(pending.mayDeliver());
    assertEquals(before + 1, changes.get());
  }

  @Test
  void shouldCloseTheLargestThatTakesNothingWhenAllIsFull() {
    small.write(8 * 1024);
    pendingOfSmall.flushed();
    slow.write(MAX_BYTES);
    pending.flushed();
    assertFalse(pendingOfSmall.mayDeliver());
    assertTrue(pendingOfSmall.mayRead());
    assertFalse(pending.mayRead());
    for (int i = 0; i < 3; i++) {
      small.look();
    }
    assertTrue(small.isOpen());
    for (int i = 0; i < 3; i++) {
      slow.look();
    }
    assertFalse(slow.isOpen());
    small.look();
    assertTrue(small.isOpen());
    assertTrue(pendingOfSmall.mayDeliver());
  }

  @Test
  void shouldKeepWhoTakesSomethingWhenAllIsFull() {
    for (int i = 0; i < 20; i++) {
      slow.write(MAX_BYTES / 10);
    }
    pending.flushed();
    for (int i = 0; i < 9; i++) {
      slow.takeOne();
      slow.look();
      assertTrue(slow.isOpen());
    }
    slow.look();
    assertFalse(slow.isOpen());
  }

  @Test
  void shouldNotCountTimeInWhichTheBrokerWasAway() {
    Slow other = new Slow();
    PendingOutput patient =
        new PendingOutput(other.ctx(), budget, changes::incrementAndGet, 1000, clock::get);
    other.write(2 * MAX_BYTES);
    patient.flushed();
    other.look();
    // An hour for the event loop, none for the clock of the process.
    other.advanceTimeBy(1, TimeUnit.HOURS);
    other.runScheduledPendingTasks();
    other.look();
    assertTrue(other.isOpen());
    clock.addAndGet(1001);
    other.look();
    assertFalse(other.isOpen());
    patient.release();
    other.finishAndReleaseAll();
  }
}
