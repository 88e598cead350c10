package io.holdfast.broker.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The clock runs with the process and stands with it. */
class RunningTimeTest {
  private final AtomicLong monotonic = new AtomicLong(Long.MAX_VALUE - 5);
  private final RunningTime time = new RunningTime(monotonic::get);

  private void pass(long ms) {
    monotonic.addAndGet(TimeUnit.MILLISECONDS.toNanos(ms));
  }

  private long nowMs() {
    return TimeUnit.NANOSECONDS.toMillis(time.now());
  }

  private void run(int ticks) {
    for (int i = 0; i < ticks; i++) {
      pass(250);
      time.tick();
    }
  }

  @Test
  void shouldGoAsTheMonotonicClockWhileTicksCome() {
    run(40);
    assertEquals(10_000, nowMs());
    pass(200);
    assertEquals(10_200, nowMs());
    // A little late is not away.
    pass(700);
    assertEquals(10_900, nowMs());
    time.tick();
    assertEquals(10_900, nowMs());
  }

  @Test
  void shouldStandWhileTheProcessIsAwayAndAMomentLonger() {
    run(4);
    pass(100);
    assertEquals(1_100, nowMs());
    pass(3_600_000);
    // Whoever looks first after it, and whoever looks when the tick has come.
    assertEquals(1_000, nowMs());
    time.tick();
    assertEquals(1_000, nowMs());
    run(2);
    assertEquals(1_000, nowMs());
    run(4);
    assertEquals(2_000, nowMs());
  }

  @Test
  void shouldNotStandForEverWhenThereIsLittleTime() {
    // A process that hardly gets the processor: away for a second, then there for one.
    for (int i = 0; i < 60; i++) {
      pass(1_000);
      time.tick();
      run(4);
    }
    assertTrue(nowMs() >= 25_000, nowMs() + " ms in two minutes");
  }

  @Test
  void shouldCountTheTimeOfThisProcess() {
    long before = RunningTime.nowNs();
    org.awaitility.Awaitility.await().until(() -> RunningTime.nowNs() > before);
  }
}
