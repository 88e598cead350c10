package io.holdfast.broker.channel;

import io.holdfast.storage.BackendQueue;
import io.holdfast.storage.Batch;
import io.holdfast.storage.HeldMessage;
import io.holdfast.storage.JournalCursor;
import io.holdfast.storage.MessageView;
import io.holdfast.storage.OrdinalRanges;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The messages of a channel that are not with a consumer: memory queue, backend and deferred ones,
 * how new ones get there, and the select across memory queue and backend. The channel's lock guards
 * it.
 */
final class ReadyMessages {
  /**
   * Bodies from this size on are not copied into memory: they are as near in the mapped journal,
   * and the copy costs more than finding them there.
   */
  private static final int MAX_COPIED_BODY_BYTES = 4096;

  private final ChannelSettings settings;
  private final BackendQueue backend;
  private final MemoryQueue memory;
  private final DeferredQueue deferred = new DeferredQueue();
  private final MessageView view = new MessageView();

  /** Whether the last choice between a message that came back and the backend was the former. */
  private boolean memoryWasLast;

  private long dropped;
  private long unreadable;

  ReadyMessages(ChannelSettings settings, BackendQueue backend) {
    this.settings = settings;
    this.backend = backend;
    memory =
        new MemoryQueue(
            settings.memQueueSize(), settings.memQueueBytes(), settings.memory().queues());
  }

  // ---------------------------------------------------------------- in

  /** Takes what the ledger knows of with attempts or due times. */
  void restore(List<HeldMessage> held) {
    for (HeldMessage entry : held) {
      Message message = Message.of(entry.ref());
      long delayMs = entry.dueMs() - settings.clock().wallMs();
      if (delayMs > 0) {
        defer(message, delayMs);
      } else if (entry.dueMs() == 0 && message.attempts() == 0) {
        // Only carried forward: still to be delivered for the first time, before the backend's.
        memory.putAnyway(message);
      } else {
        memory.requeue(message);
      }
    }
  }

  /** Takes a batch; what memory has no room for stays in the backend. */
  void put(Batch batch) throws IOException {
    if (batch.deferMs() == 0) {
      backend.put(batch, putInMemory(batch));
    } else if (deferred.size() + memory.requeued() + batch.count() <= settings.maxDeferred()) {
      putDeferred(batch);
    } else {
      // Beyond the bound on references it stays in the backend, which knows its due time, too.
      backend.put(batch, 0);
    }
  }

  /** Fills the memory queue as far as it may be and has room; returns how many messages it took. */
  private int putInMemory(Batch batch) {
    int room = backend.isCaughtUp() ? Math.min(memory.room(), batch.count()) : 0;
    if (room == 0) {
      return 0;
    }
    boolean copy =
        !backend.keepsBodies() || batch.bodyBytes() < (long) batch.count() * MAX_COPIED_BODY_BYTES;
    byte[] bytes = copy ? batch.copy() : null;
    ByteBuffer section = batch.section();
    int start = section.position();
    int at = start;
    for (int i = 0; i < room; i++) {
      int length = section.getInt(at);
      if (!memory.reserve(copy ? length : 0)) {
        return i;
      }
      memory.put(message(batch, i, at + Integer.BYTES - start, length, bytes));
      at += Integer.BYTES + length;
    }
    return room;
  }

  private static Message message(
      Batch batch, int i, int offsetInSection, int length, byte[] bytes) {
    Message message =
        new Message(
            batch.firstOrdinal() + i,
            batch.position(),
            batch.sectionOffset() + offsetInSection,
            length,
            0,
            batch.timestampNs());
    message.bytes = bytes;
    message.bodyStart = offsetInSection;
    return message;
  }

  private void putDeferred(Batch batch) throws IOException {
    ByteBuffer section = batch.section();
    byte[] bytes = backend.keepsBodies() ? null : batch.copy();
    int start = section.position();
    int at = start;
    long dueMs = dueMs(batch.timestampNs(), batch.deferMs());
    List<HeldMessage> held = new ArrayList<>(batch.count());
    for (int i = 0; i < batch.count(); i++) {
      int length = section.getInt(at);
      Message message = message(batch, i, at + Integer.BYTES - start, length, bytes);
      held.add(new HeldMessage(message, dueMs));
      defer(message, batch.deferMs());
      at += Integer.BYTES + length;
    }
    backend.putHeld(batch, held);
  }

  /**
   * The journal has messages up to an ordinal that the topic had kept back.
   *
   * @return how many
   */
  long extend(long endOrdinal) throws IOException {
    long before = backend.depth();
    backend.extend(endOrdinal);
    return backend.depth() - before;
  }

  /** Fills memory from a journal, for want of a backend; returns how many messages it took. */
  long putBacklog(JournalCursor journal, long endOrdinal) throws IOException {
    long taken = 0;
    boolean isFull = false;
    while (!isFull && memory.room() > 0 && journal.next(view, endOrdinal)) {
      long delayMs = dueMs(view.timestampNs(), view.deferMs()) - settings.clock().wallMs();
      boolean isDeferred = view.deferMs() > 0 && delayMs > 0;
      if (isDeferred && isOverBound()) {
        dropped++;
        continue;
      }
      Message message = Message.of(view);
      message.bytes = new byte[view.bodyLength()];
      view.body().get(message.bytes);
      if (isDeferred) {
        defer(message, delayMs);
      } else if (!memory.tryPut(message)) {
        isFull = true;
        dropped++;
        continue;
      }
      taken++;
    }
    unreadable += journal.unreadable();
    dropped += endOrdinal - journal.nextOrdinal();
    return taken;
  }

  /** Messages of a backlog that memory had no room for. */
  long dropped() {
    return dropped;
  }

  /** Messages of a backlog that could not be read. */
  long unreadable() {
    return unreadable;
  }

  private static long dueMs(long timestampNs, long deferMs) {
    return TimeUnit.NANOSECONDS.toMillis(timestampNs) + deferMs;
  }

  /** Makes a message that came back ready at once. */
  void requeue(Message message) {
    memory.requeue(message);
  }

  /**
   * Makes a message ready after a delay.
   *
   * @return when, by the monotonic clock
   */
  long defer(Message message, long delayMs) {
    message.dueNs = settings.clock().nanos() + TimeUnit.MILLISECONDS.toNanos(delayMs);
    deferred.add(message);
    return message.dueNs;
  }

  /** Makes ready what is due; returns how many. */
  int releaseDue(long nowNs) {
    int count = 0;
    for (Message due = deferred.pollDue(nowNs); due != null; due = deferred.pollDue(nowNs)) {
      memory.requeue(due);
      count++;
    }
    return count;
  }

  // ---------------------------------------------------------------- out

  /**
   * The select: the next message, from memory queue or backend; its body is in {@link #view} when
   * it has no bytes of its own.
   *
   * <p>New messages in memory are older than everything in the backend and go first, so that first
   * deliveries are in publish order; also those that stand behind messages that came back. Where
   * memory has none but those, they alternate with the backend, so that neither a client that
   * requeues everything nor a long backlog starves the other.
   *
   * @param lost receives messages whose body cannot be read any more
   * @return null when there is none
   */
  Message poll(OrdinalRanges lost) throws IOException {
    while (true) {
      if (isMemoryNext()) {
        Message message = memory.peek();
        boolean readable = message.bytes != null || backend.read(message, view);
        // Taken out only now: after an exception it must not be nowhere.
        memory.poll();
        if (readable) {
          return message;
        }
        lost.add(message.ordinal());
      } else if (pollBackend()) {
        return Message.of(view);
      } else if (memory.size() == 0) {
        return null;
      }
    }
  }

  private boolean isMemoryNext() {
    if (memory.size() == 0) {
      return false;
    }
    if (!memory.isRequeuedNext() || memory.hasNew() || backend.depth() == 0) {
      return true;
    }
    memoryWasLast = !memoryWasLast || isOverBound();
    return memoryWasLast;
  }

  /** Whether so many references are held that the backend has to wait. */
  private boolean isOverBound() {
    return deferred.size() + memory.requeued() >= settings.maxDeferred();
  }

  /** Takes from the backend what is due; what is not goes to the deferred messages. */
  private boolean pollBackend() throws IOException {
    while (!isOverBound() && backend.poll(view)) {
      if (view.deferMs() == 0) {
        return true;
      }
      long dueMs = dueMs(view.timestampNs(), view.deferMs());
      long delayMs = dueMs - settings.clock().wallMs();
      if (delayMs <= 0) {
        return true;
      }
      Message message = Message.of(view);
      defer(message, delayMs);
      try {
        backend.hold(List.of(new HeldMessage(message, dueMs)));
      } catch (IOException e) {
        // The journal knows its due time, too; the next checkpoint makes up for it.
        settings.diskErrors().failed("deferred messages", e);
      }
    }
    return false;
  }

  /** The body of a message that {@link #poll} returned without bytes, and its publish time. */
  MessageView view() {
    return view;
  }

  // ---------------------------------------------------------------- figures and the rest

  boolean isEmpty() {
    return memory.size() == 0 && backend.depth() == 0;
  }

  long depth() {
    return memory.size() + backend.depth();
  }

  int deferredCount() {
    return deferred.size();
  }

  /** Messages taken from memory so far. */
  long takenFromMemory() {
    return memory.taken();
  }

  /** When the first deferred message is due, or another time if that is earlier. */
  long firstDueNs(long otherwiseNs) {
    Message first = deferred.first();
    return first != null && first.dueNs - otherwiseNs < 0 ? first.dueNs : otherwiseNs;
  }

  /** Shows every message that memory knows of. */
  void visit(Message.Visitor visitor) {
    for (Message message : memory.messages()) {
      visitor.visit(message, 0);
    }
    long nowNs = settings.clock().nanos();
    long nowMs = settings.clock().wallMs();
    for (Message message : deferred.messages()) {
      long delayMs = TimeUnit.NANOSECONDS.toMillis(message.dueNs - nowNs);
      visitor.visit(message, nowMs + Math.max(0, delayMs));
    }
  }

  /** Gives back what memory it has kept for messages to come. */
  void trim() {
    memory.trim();
  }

  /** Drops what memory has; the backend is emptied by itself. */
  void clear() {
    memory.clear();
    deferred.clear();
  }
}
