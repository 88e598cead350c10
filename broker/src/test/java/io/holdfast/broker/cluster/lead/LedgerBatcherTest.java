package io.holdfast.broker.cluster.lead;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.engine.Proposal;
import io.holdfast.broker.cluster.state.LedgerEntry;
import io.holdfast.broker.queue.SharedLogException;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of messages on its way into a group's log. */
class LedgerBatcherTest {
  private static final int TOPIC = 3;
  private static final int CHANNEL = 4;
  private static final int EPOCH = 5;
  private static final long NOW_NS = 17;
  private static final long LONG_S = 60;

  /** Others are asked, and never answer. */
  private static final MissingMessages MISSING =
      new MissingMessages(
          TOPIC,
          (topic, ordinal, max, told) -> true,
          new AtomicLong(),
          () -> 0,
          (ordinal, forNs, allLost) -> {});

  /** What was proposed and waits for an answer. */
  private record Asked(ByteBuffer entry, Proposal proposal) {}

  private final BlockingQueue<Asked> proposed = new LinkedBlockingQueue<>();
  private LedgerBatcher batcher;
  private BatchedAccount account;

  @BeforeEach
  void start() {
    batcher =
        new LedgerBatcher(
            0, (entry, proposal) -> proposed.add(new Asked(entry, proposal)), () -> NOW_NS);
    account = new BatchedAccount(batcher, TOPIC, CHANNEL, EPOCH, MISSING);
  }

  @AfterEach
  void stop() {
    batcher.stop();
  }

  private static OrdinalRanges ranges(long... bounds) {
    OrdinalRanges ranges = new OrdinalRanges();
    for (int i = 0; i < bounds.length; i += 2) {
      ranges.add(bounds[i], bounds[i + 1]);
    }
    return ranges;
  }

  private static HeldMessage held(long ordinal, int attempts) {
    return new HeldMessage(new MessageRef(ordinal, MessageRef.NOWHERE, 0, 0, attempts), 0);
  }

  private Asked next() throws InterruptedException {
    Asked asked = proposed.poll(LONG_S, TimeUnit.SECONDS);
    assertTrue(asked != null, "nothing was proposed");
    return asked;
  }

  private static ByteBuffer entry(Consumer<LedgerEntry> filled) {
    LedgerEntry entry = new LedgerEntry();
    filled.accept(entry);
    return entry.toEntry(NOW_NS);
  }

  @Test
  void shouldNotSayOfWhatIsFinishedThatItWentOut() throws Exception {
    account.deliver(ranges(10, 20));
    account.hold(List.of(held(12, 2), held(30, 3)));
    // In whatever order they come.
    account.finish(ranges(15, 17, 10, 13, 13, 14));
    batcher.start();
    ByteBuffer expected =
        entry(
            e -> {
              e.deliver(TOPIC, CHANNEL, EPOCH, ranges(14, 15, 17, 20));
              e.hold(TOPIC, CHANNEL, EPOCH, List.of(held(30, 3)));
              e.finish(TOPIC, CHANNEL, EPOCH, ranges(10, 14, 15, 17));
            });
    assertEquals(expected, next().entry());
  }

  @Test
  void shouldSayOnlyTheLastOfMessageThatWaits() throws Exception {
    account.hold(List.of(held(1, 1)));
    account.hold(List.of(held(1, 2)));
    batcher.start();
    assertEquals(entry(e -> e.hold(TOPIC, CHANNEL, EPOCH, List.of(held(1, 2)))), next().entry());
  }

  @Test
  void shouldHaveOneEntryUnderWayAndRepeatItAsItIs() throws Exception {
    batcher.start();
    account.finish(ranges(1, 2));
    final Asked first = next();
    account.finish(ranges(5, 6));
    first.proposal().refused("handing over");
    Asked again = next();
    assertEquals(first.entry(), again.entry());
    again.proposal().unknown("nobody knows");
    Asked third = next();
    assertEquals(first.entry(), third.entry());
    assertTrue(proposed.isEmpty());
    third.proposal().applied(1);
    assertEquals(entry(e -> e.finish(TOPIC, CHANNEL, EPOCH, ranges(5, 6))), next().entry());
  }

  @Test
  void shouldSayWhenAllIsCommitted() throws Exception {
    batcher.start();
    account.finish(ranges(1, 2));
    CompletableFuture<Void> flushed = batcher.flush();
    Asked asked = next();
    assertFalse(flushed.isDone());
    asked.proposal().applied(1);
    flushed.get(LONG_S, TimeUnit.SECONDS);
    // Also when there is nothing.
    batcher.flush().get(LONG_S, TimeUnit.SECONDS);
  }

  @Test
  void shouldBeFullUntilWhatWaitsIsCommitted() throws Exception {
    long ordinal = 0;
    while (!account.isCongested()) {
      account.finish(ranges(ordinal, ordinal + 1));
      ordinal += 2;
    }
    assertTrue(ordinal < LedgerBatcher.MAX_PENDING_BYTES, "too much: " + ordinal);
    batcher.start();
    CompletableFuture<Void> flushed = batcher.flush();
    int entries = 0;
    int largest = 0;
    while (!flushed.isDone()) {
      Asked asked = proposed.poll(10, TimeUnit.MILLISECONDS);
      if (asked != null) {
        entries++;
        largest = Math.max(largest, asked.entry().remaining());
        asked.proposal().applied(entries);
      }
    }
    assertFalse(account.isCongested());
    assertTrue(entries > 1, "one entry for all");
    assertTrue(largest < 2 * LedgerBatcher.ENTRY_BYTES, "an entry of " + largest);
  }

  @Test
  void shouldForgetWhatChannelThatBeginsAnewHad() throws Exception {
    account.finish(ranges(1, 2));
    account.hold(List.of(held(7, 1)));
    account.begin(EPOCH + 1);
    account.finish(ranges(3, 4));
    batcher.start();
    assertEquals(entry(e -> e.finish(TOPIC, CHANNEL, EPOCH + 1, ranges(3, 4))), next().entry());
  }

  @Test
  void shouldForgetAllWithTheTerm() throws Exception {
    batcher.start();
    account.finish(ranges(1, 2));
    final Asked first = next();
    CompletableFuture<Void> flushed = batcher.flush();
    batcher.stop();
    ExecutionException lost =
        assertThrows(ExecutionException.class, () -> flushed.get(LONG_S, TimeUnit.SECONDS));
    assertTrue(((SharedLogException) lost.getCause()).isUnknown());
    first.proposal().refused("the term is over");
    assertThrows(SharedLogException.class, account::force);
    assertTrue(proposed.isEmpty());
  }

  @Test
  void shouldNotFinishWhatOneDiskLost() {
    assertTrue(account.lost(1, 2) > 0);
    assertTrue(account.isLost(1));
    assertTrue(proposed.isEmpty());
  }
}
