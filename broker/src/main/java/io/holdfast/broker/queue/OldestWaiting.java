package io.holdfast.broker.queue;

import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Finds and drops the oldest messages that wait in a channel, wherever they do: in memory, in the
 * backend, deferred. For a topic that makes room by {@code drop_oldest}. The channel's lock guards
 * it.
 */
final class OldestWaiting {
  private final MemoryQueue memory;
  private final DeferredMessages deferred;
  private final BackendQueue backend;

  OldestWaiting(MemoryQueue memory, DeferredMessages deferred, BackendQueue backend) {
    this.memory = memory;
    this.deferred = deferred;
    this.backend = backend;
  }

  /** Ordinals that are gathered. */
  private static final class Ordinals {
    private long[] values = new long[16];
    private int count;

    private void add(long ordinal) {
      if (count == values.length) {
        values = Arrays.copyOf(values, 2 * count);
      }
      values[count++] = ordinal;
    }
  }

  /**
   * Drops some.
   *
   * @param count how many
   * @return which, in order
   */
  OrdinalRanges drop(int count, ChannelLedger ledger) {
    OrdinalRanges gone = oldest(count);
    long below = gone.isEmpty() ? 0 : gone.to(gone.count() - 1);
    memory.dropNewBelow(below);
    for (int i = memory.dropCameBackBelow(below); i > 0; i--) {
      deferred.giveReference();
    }
    deferred.dropBelow(below);
    ledger.record(() -> drop(gone, below));
    return gone;
  }

  private void drop(OrdinalRanges gone, long below) throws IOException {
    try {
      backend.dropBelow(below);
    } finally {
      // Also those that it had not: once more does no harm.
      backend.finish(gone);
    }
  }

  /** The first messages in the order of age; changes nothing, reads no disk. */
  List<Waiting> firstReady(int max) {
    List<Waiting> ready = new ArrayList<>();
    memory.visitNew(max, message -> ready.add(Waiting.of(message, 0)));
    FirstFew<Waiting> cameBack = new FirstFew<>(max);
    memory.visitCameBack(
        (message, delayMs) -> {
          if (cameBack.takes(message.ordinal())) {
            cameBack.add(message.ordinal(), Waiting.of(message, 0));
          }
        });
    ready.addAll(cameBack.inOrder());
    backend.visitWaiting(
        max, (ordinal, attempts) -> ready.add(new Waiting(ordinal, null, attempts, 0)));
    ready.sort(Comparator.comparingLong(Waiting::ordinal));
    return ready.subList(0, Math.min(max, ready.size()));
  }

  private OrdinalRanges oldest(int count) {
    Ordinals found = new Ordinals();
    memory.visitNew(count, message -> found.add(message.ordinal()));
    memory.visitCameBack((message, delayMs) -> found.add(message.ordinal()));
    deferred.visit((message, delayMs) -> found.add(message.ordinal()));
    backend.visitWaiting(count, (ordinal, attempts) -> found.add(ordinal));
    Arrays.sort(found.values, 0, found.count);
    OrdinalRanges oldest = new OrdinalRanges();
    for (int i = 0; i < Math.min(count, found.count); i++) {
      oldest.add(found.values[i]);
    }
    return oldest;
  }
}
