package io.holdfast.broker.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The oldest of those that came back or are deferred are dropped, whatever their order. */
class OldestReferencesTest {
  /** Dropped one by one, of as many again. By a look at all for each it would be minutes. */
  private static final int DROPPED = 50_000;

  private static final long MAX_CPU_NS = TimeUnit.SECONDS.toNanos(20);

  private long nowNs = 1;
  private final ChannelSettings.Clock clock =
      new ChannelSettings.Clock() {
        @Override
        public long nanos() {
          return nowNs;
        }

        @Override
        public long wallMs() {
          return TimeUnit.NANOSECONDS.toMillis(nowNs);
        }
      };

  private final DeferredMessages deferred =
      new DeferredMessages(QueueFixture.settings(clock, 0, Integer.MAX_VALUE));

  private static Message message(long ordinal) {
    return new Message(ordinal, 3 * ordinal, 8, 9, 1, 0);
  }

  private static long cpuNs() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  // ---------------------------------------------------------------- came back

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldDropTheOldestThatCameBack(long seed) {
    Random random = new Random(seed);
    for (CameBackMessages queue : List.of(new RequeuedMessages(), new ByOrdinal())) {
      boolean byAge = queue instanceof ByOrdinal;
      List<Long> expected = new ArrayList<>();
      for (int step = 0; step < 8_000; step++) {
        if (random.nextInt(1000) < (step / 800 % 2 == 0 ? 600 : 300)) {
          // Also one that was dropped before, as after a rewind.
          long ordinal = random.nextInt(1500);
          if (!expected.contains(ordinal)) {
            queue.add(message(ordinal), step);
            expected.add(ordinal);
          }
        } else if (!expected.isEmpty()) {
          long oldest = expected.stream().min(Comparator.naturalOrder()).get();
          if (random.nextBoolean()) {
            assertEquals(oldest, queue.lowestOrdinal());
            queue.removeLowest();
            expected.remove(oldest);
          } else {
            long first = byAge ? oldest : expected.get(0);
            assertEquals(first, queue.first().ordinal());
            queue.removeFirst();
            expected.remove(first);
          }
        }
        assertEquals(expected.size(), queue.size());
        if (step % 500 == 0) {
          List<Long> seen = new ArrayList<>(queue.messages().map(Message::ordinal).toList());
          List<Long> wanted = new ArrayList<>(expected);
          if (byAge) {
            seen.sort(null);
            wanted.sort(null);
          }
          assertEquals(wanted, seen);
        }
      }
    }
  }

  @Test
  void shouldNotLookAtAllThatCameBackForEach() {
    for (CameBackMessages queue : List.of(new RequeuedMessages(), new ByOrdinal())) {
      for (int i = 0; i < 2 * DROPPED; i++) {
        queue.add(message(Integer.reverse(i) >>> 1), i);
      }
      long before = cpuNs();
      for (int i = 0; i < DROPPED; i++) {
        queue.lowestOrdinal();
        queue.removeLowest();
      }
      assertTrue(cpuNs() - before < MAX_CPU_NS, "it took " + (cpuNs() - before) + " ns");
      assertEquals(DROPPED, queue.size());
    }
  }

  // ---------------------------------------------------------------- deferred

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldDropTheOldestThatAreDeferred(long seed) {
    Random random = new Random(seed);
    TreeMap<Long, Long> dueMs = new TreeMap<>();
    for (int step = 0; step < 8_000; step++) {
      if (random.nextInt(1000) < (step / 800 % 2 == 0 ? 600 : 300)) {
        long ordinal = random.nextInt(1500);
        if (!dueMs.containsKey(ordinal)) {
          long delayMs = 1L + random.nextInt(500);
          deferred.add(message(ordinal), delayMs);
          dueMs.put(ordinal, clock.wallMs() + delayMs);
        }
      } else if (!dueMs.isEmpty() && random.nextBoolean()) {
        assertEquals(dueMs.firstKey(), deferred.lowestOrdinal());
        deferred.dropLowest();
        dueMs.pollFirstEntry();
      } else if (random.nextInt(100) == 0) {
        nowNs += TimeUnit.MILLISECONDS.toNanos(random.nextInt(100));
        for (Message due = deferred.pollDue(nowNs); due != null; due = deferred.pollDue(nowNs)) {
          deferred.giveReference();
          assertTrue(dueMs.remove(due.ordinal()) <= clock.wallMs());
        }
        assertTrue(dueMs.values().stream().allMatch(due -> due > clock.wallMs()));
      }
      assertEquals(dueMs.size(), deferred.size());
      if (step % 500 == 0) {
        List<Long> seen = new ArrayList<>();
        deferred.visit((message, delayMs) -> seen.add(message.ordinal()));
        seen.sort(null);
        assertEquals(List.copyOf(dueMs.keySet()), seen);
      }
    }
  }

  @Test
  void shouldNotLookAtAllThatAreDeferredForEach() {
    for (int i = 0; i < 2 * DROPPED; i++) {
      deferred.add(message(Integer.reverse(i) >>> 1), 1000 + i);
    }
    long before = cpuNs();
    for (int i = 0; i < DROPPED; i++) {
      deferred.lowestOrdinal();
      deferred.dropLowest();
    }
    assertTrue(cpuNs() - before < MAX_CPU_NS, "it took " + (cpuNs() - before) + " ns");
    assertEquals(DROPPED, deferred.size());
    assertEquals(DROPPED, deferred.held().count());
  }
}
