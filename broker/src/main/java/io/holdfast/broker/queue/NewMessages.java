package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Where a channel's new messages go: to the memory queue, to the deferred ones, or nowhere but to
 * the backend; and what an ephemeral channel drops of them. The channel's lock guards it.
 */
final class NewMessages {
  /**
   * Bodies from this size on are not copied into memory: they are as near in the mapped journal,
   * and the copy costs more than finding them there.
   */
  private static final int MAX_COPIED_BODY_BYTES = 4096;

  private final ChannelSettings settings;
  private final BackendQueue backend;
  private final LongSupplier demand;
  private final MemoryQueue memory;
  private final DeferredMessages deferred;
  private final OrdinalRanges dropping = new OrdinalRanges();
  private long dropped;

  /**
   * @param demand see {@link ReadyMessages}
   */
  NewMessages(
      ChannelSettings settings,
      BackendQueue backend,
      LongSupplier demand,
      MemoryQueue memory,
      DeferredMessages deferred) {
    this.settings = settings;
    this.backend = backend;
    this.demand = demand;
    this.memory = memory;
    this.deferred = deferred;
  }

  /** Takes a batch; what memory has no room for stays in the backend, or is dropped. */
  void put(Batch batch) throws IOException {
    if (batch.deferMs() == 0) {
      int room = backend.isCaughtUp() ? room(batch.count()) : 0;
      int taken = room == 0 ? 0 : putInMemory(batch, room);
      if (demand == null || !backend.isCaughtUp()) {
        backend.put(batch, taken);
      } else {
        putAndDrop(batch, taken);
      }
    } else if (deferred.mayHold(memory.requeued(), batch.count())) {
      putDeferred(batch);
    } else if (demand == null || !backend.isCaughtUp()) {
      // Beyond the bound on references it stays in the backend, which knows its due time, too.
      backend.put(batch, 0);
    } else {
      putAndDrop(batch, 0);
    }
  }

  /** How many of some new messages may go to memory. */
  int room(int count) {
    if (demand == null) {
      return Math.min(memory.room(), count);
    }
    long room = (long) settings.memQueueSize() - memory.size();
    if (room < count) {
      room += demand.getAsLong();
    }
    return (int) Math.max(0, Math.min(room, count));
  }

  /** An ephemeral channel has no more than memory takes and consumers wait for. */
  private void putAndDrop(Batch batch, int taken) throws IOException {
    backend.put(batch, batch.count());
    if (taken < batch.count()) {
      dropped += batch.count() - taken;
      dropping.clear();
      dropping.add(batch.firstOrdinal() + taken, batch.endOrdinal());
      backend.finish(dropping);
    }
  }

  /**
   * Fills the memory queue as far as it has room; an ephemeral channel's beyond its bytes with
   * references, whose bodies are in the journal.
   *
   * @param max messages
   * @return how many it took
   */
  private int putInMemory(Batch batch, int max) {
    boolean copy =
        memory.room() > 0 && batch.bodyBytes() < (long) batch.count() * MAX_COPIED_BODY_BYTES;
    byte[] bytes = copy ? batch.copy() : null;
    long bornNs = settings.clock().nanos();
    ByteBuffer section = batch.section();
    int start = section.position();
    int at = start;
    for (int i = 0; i < max; i++) {
      int length = section.getInt(at);
      Message message = Message.of(batch, i, at + Integer.BYTES - start, length, bornNs);
      if (memory.reserve(copy ? length : 0)) {
        message.bytes = bytes;
        memory.put(message);
      } else if (demand == null || !putReference(message)) {
        return i;
      }
      at += Integer.BYTES + length;
    }
    return max;
  }

  /** For an ephemeral channel: where all queues together are full only what consumers wait for. */
  private boolean putReference(Message message) {
    if (memory.tryPut(message)) {
      return true;
    }
    boolean isAwaited = memory.size() < demand.getAsLong();
    if (isAwaited) {
      memory.putAnyway(message);
    }
    return isAwaited;
  }

  /** For want of disk an ephemeral channel keeps only what came back or a consumer waits for. */
  void dropWaiting() throws IOException {
    dropping.clear();
    dropped += memory.dropNew(demand.getAsLong(), dropping);
    backend.finish(dropping);
    dropped += backend.dropBelow(Long.MAX_VALUE);
  }

  private void putDeferred(Batch batch) throws IOException {
    ByteBuffer section = batch.section();
    int start = section.position();
    int at = start;
    long nowMs = settings.clock().wallMs();
    long bornNs = settings.clock().nanos();
    List<HeldMessage> held = new ArrayList<>(batch.count());
    for (int i = 0; i < batch.count(); i++) {
      int length = section.getInt(at);
      Message message = Message.of(batch, i, at + Integer.BYTES - start, length, bornNs);
      held.add(HeldMessage.after(message, batch.deferMs(), nowMs));
      deferred.add(message, batch.deferMs());
      at += Integer.BYTES + length;
    }
    backend.putHeld(batch, held);
  }

  /** Messages of an ephemeral channel that there was no room for. */
  long dropped() {
    return dropped;
  }
}
