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
 * backend, deferred. For a topic that makes room by {@code drop_oldest}: what that takes goes by
 * how many are dropped, not by how many wait. The channel's lock guards it.
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
    OrdinalRanges gone = dropOldest(count);
    long below = gone.isEmpty() ? 0 : gone.to(gone.count() - 1);
    ledger.record(() -> record(gone, below));
    return gone;
  }

  private void record(OrdinalRanges gone, long below) throws IOException {
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

  /**
   * The first messages in the order of delivery where that is not by age; changes nothing.
   *
   * @param memoryWasLast whether the backend is the next of the two
   */
  List<Waiting> firstInTurn(int max, boolean memoryWasLast) {
    List<Waiting> first = new ArrayList<>();
    List<Waiting> cameBack = new ArrayList<>();
    memory.peek(
        max,
        message -> first.add(Waiting.of(message, 0)),
        message -> cameBack.add(Waiting.of(message, 0)));
    List<Waiting> inBackend = new ArrayList<>();
    backend.visitWaiting(
        max, (ordinal, attempts) -> inBackend.add(new Waiting(ordinal, null, attempts, 0)));
    // What came back alternates with the backend.
    boolean isMemoryNext = !memoryWasLast || inBackend.isEmpty();
    int i = 0;
    int j = 0;
    while (first.size() < max && (i < cameBack.size() || j < inBackend.size())) {
      boolean fromMemory = j == inBackend.size() || (isMemoryNext && i < cameBack.size());
      first.add(fromMemory ? cameBack.get(i++) : inBackend.get(j++));
      isMemoryNext = !fromMemory;
    }
    return first;
  }

  /** Takes the oldest out, but for those of the backend, which is told when all are known. */
  private OrdinalRanges dropOldest(int count) {
    Ordinals inBackend = new Ordinals();
    backend.visitWaiting(count, (ordinal, attempts) -> inBackend.add(ordinal));
    OrdinalRanges gone = new OrdinalRanges();
    int ofBackend = 0;
    for (int i = 0; i < count; i++) {
      long first = ofBackend < inBackend.count ? inBackend.values[ofBackend] : Long.MAX_VALUE;
      long oldest =
          Math.min(
              Math.min(first, memory.oldestNew()),
              Math.min(memory.oldestCameBack(), deferred.lowestOrdinal()));
      if (oldest == Long.MAX_VALUE) {
        break;
      }
      gone.add(oldest);
      if (oldest == first) {
        ofBackend++;
      } else if (oldest == memory.oldestNew()) {
        memory.dropOldestNew();
      } else if (oldest == memory.oldestCameBack()) {
        memory.dropOldestCameBack();
        deferred.giveReference();
      } else {
        deferred.dropLowest();
      }
    }
    return gone;
  }
}
