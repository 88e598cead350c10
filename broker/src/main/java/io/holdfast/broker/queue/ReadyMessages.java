package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The messages of a channel that are with no consumer: how they get into memory queue, backend or
 * the deferred ones, and the select across the first two. The channel's lock guards it.
 */
final class ReadyMessages {
  /** Messages made ready in one turn of the scan. */
  private static final int MAX_RELEASED = 10_000;

  /** When the backend is asked again which had to wait for memory that all channels share. */
  private static final long LOOK_AGAIN_MS = 1000;

  private final ChannelSettings settings;
  private final BackendQueue backend;
  private final MemoryQueue memory;
  private final DeferredMessages deferred;
  private final OldestWaiting oldest;
  private final NewMessages arrivals;
  private final LostMessages lostHere;

  /** Whether the oldest message is the next, and all wait for it where it is deferred. */
  private boolean ordered;

  /** What {@link #firstInBackend} found. */
  private long foundInBackend;

  /** Until when the backend is not asked, see {@link #putBack}; nanoTime. */
  private long blockedUntilNs;

  private boolean blocked;
  private final MessageView view = new MessageView();

  /** Whether the last choice between a message that came back and the backend was the former. */
  private boolean memoryWasLast;

  private long dropped;

  /**
   * @param demand of an ephemeral channel, which drops what passes the memory queue: how many
   *     messages its consumers have room for; null for a channel that drops nothing
   */
  ReadyMessages(ChannelSettings settings, BackendQueue backend, LongSupplier demand) {
    this.settings = settings;
    this.backend = backend;
    memory =
        new MemoryQueue(
            settings.memQueueSize(), settings.memQueueBytes(), settings.memory().queues());
    deferred = new DeferredMessages(settings);
    oldest = new OldestWaiting(memory, deferred, backend);
    arrivals = new NewMessages(settings, backend, demand, memory, deferred);
    lostHere = new LostMessages(settings, backend, deferred);
  }

  // ---------------------------------------------------------------- in

  /**
   * Takes what the ledger knows of with attempts or due times.
   *
   * @param taken told of each that was delivered and is not deferred; those that it takes go
   *     elsewhere
   */
  void restore(Collection<HeldMessage> held, Predicate<Message> taken) {
    for (HeldMessage entry : held) {
      if (entry.isDead()) {
        continue;
      }
      Message message = Message.of(entry.ref());
      long delayMs = bounded(entry.remainingMs(settings.clock().wallMs()));
      if (delayMs > 0) {
        defer(message, delayMs);
      } else if (entry.dueMs() == 0 && message.packedAttempts() == 0) {
        // Only relocated: still to be delivered for the first time, before the backend's.
        memory.putAnyway(message);
      } else if (!taken.test(message)) {
        requeue(message);
      }
    }
    // What it keeps for references to come, the next channel may need for those that it had.
    deferred.trim();
  }

  /**
   * Takes out some of what only the backend has and was delivered once, before anything else
   * happens; returns how many.
   */
  int takeDelivered(java.util.function.Consumer<Message> to) {
    try {
      List<MessageRef> some = backend.takeDelivered(MAX_RELEASED);
      some.forEach(ref -> to.accept(Message.of(ref)));
      return some.size();
    } catch (IOException e) {
      // It is found out when they would be delivered.
      settings.diskErrors().failed("messages that were in flight", e);
      return 0;
    }
  }

  /** Takes a batch; what memory has no room for stays in the backend, or is dropped. */
  void put(Batch batch) throws IOException {
    arrivals.put(batch);
  }

  /**
   * What an ephemeral channel has only in the backend goes to memory as far as that has room; the
   * rest is dropped up to an ordinal, below which nobody else needs the journal.
   */
  void letGo(long belowOrdinal) throws IOException {
    while (backend.backlogFrom() < belowOrdinal && arrivals.room(1) > 0 && pollBackend()) {
      memory.putAnyway(Message.of(view));
    }
    dropped += backend.dropBelow(belowOrdinal);
  }

  /** See {@link NewMessages#dropWaiting}. */
  void dropWaiting() throws IOException {
    arrivals.dropWaiting();
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

  /** Whether the oldest message is the next from now on. */
  void setOrdered(boolean on) {
    if (on != ordered) {
      ordered = on;
      memory.setOrdered(on);
    }
  }

  /**
   * Drops the oldest messages that wait, until only so many do.
   *
   * @return which
   */
  OrdinalRanges dropOldest(long keep, ChannelLedger ledger) {
    long count = Math.max(0, depth() + deferredCount() - keep);
    dropped += count;
    return oldest.drop((int) Math.min(Integer.MAX_VALUE, count), ledger);
  }

  /** Messages that there was no room for. */
  long dropped() {
    return dropped + arrivals.dropped();
  }

  /** A delay as a restart finds it: of a message that a longer one was allowed for, too. */
  private long bounded(long delayMs) {
    return Math.min(delayMs, settings.maxReqTimeoutMs());
  }

  /** Makes a message that came back ready at once. */
  void requeue(Message message) {
    deferred.takeReference();
    memory.requeue(message);
  }

  /** Makes a message ready after a delay. */
  void defer(Message message, long delayMs) {
    deferred.add(message, delayMs);
  }

  /** Makes ready what is due, as much as is worth one turn; returns how many. */
  int releaseDue(long nowNs) {
    int count = 0;
    if (blocked && blockedUntilNs - nowNs <= 0) {
      blocked = false;
      count++;
    }
    Message due = deferred.pollDue(nowNs);
    while (due != null) {
      memory.requeue(due);
      count++;
      due = count < MAX_RELEASED ? deferred.pollDue(nowNs) : null;
    }
    return count;
  }

  /** Whether a message may be deferred, by the bounds on references. */
  boolean mayDefer() {
    return deferred.mayDefer(memory.requeued());
  }

  /** As {@link #mayDefer}, for more messages that the backend has. */
  boolean mayHold(int more) {
    return deferred.mayHold(memory.requeued(), more);
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
    if (ordered) {
      return pollInOrder(lost);
    }
    while (true) {
      if (isMemoryNext()) {
        Message message = pollMemory(lost);
        if (message != null) {
          return message;
        }
      } else if (pollBackend()) {
        return Message.of(view);
      } else if (memory.size() == 0) {
        return null;
      }
    }
  }

  /** The oldest of all; null also when it is deferred. */
  private Message pollInOrder(OrdinalRanges lost) throws IOException {
    while (true) {
      long inMemory = memory.size() == 0 ? Long.MAX_VALUE : memory.peek().ordinal();
      long inBackend = firstInBackend();
      long first = Math.min(inMemory, inBackend);
      if (first == Long.MAX_VALUE || deferred.lowestOrdinal() < first) {
        return null;
      }
      if (inMemory == first) {
        Message message = pollMemory(lost);
        if (message != null) {
          return message;
        }
      } else if (pollBackend()) {
        return Message.of(view);
      } else if (blocked) {
        return null;
      }
    }
  }

  private long firstInBackend() {
    foundInBackend = Long.MAX_VALUE;
    if (backend.depth() > 0) {
      backend.visitWaiting(1, (ordinal, attempts) -> foundInBackend = ordinal);
    }
    return foundInBackend;
  }

  /** The next message in memory, of which there is one; null when its body is lost. */
  private Message pollMemory(OrdinalRanges lost) throws IOException {
    Message message = memory.peek();
    boolean readable = message.bytes != null || backend.read(message, view);
    // Taken out only now: after an exception it must not be nowhere.
    if (memory.isRequeuedNext()) {
      deferred.giveReference();
    }
    memory.remove();
    if (!readable) {
      lostHere.cannotBeRead(message, lost);
      return null;
    }
    return lostHere.hasCome(message, view) ? null : message;
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
    return !mayHold(1);
  }

  /**
   * Takes from the backend what is due; what is not goes to the deferred messages. Where there is
   * no room for more of those it stays, and what is behind it waits.
   */
  private boolean pollBackend() throws IOException {
    if (!ordered && (blocked || memory.requeued() > 0) && isOverBound()) {
      return false;
    }
    blocked = false;
    while (backend.poll(view)) {
      if (view.isLost()) {
        long againMs = isOverBound() ? LOOK_AGAIN_MS : lostHere.waits(view);
        if (againMs > 0) {
          putBack(againMs);
        }
        if (againMs > 0 || ordered) {
          // What is behind it waits.
          return false;
        }
        continue;
      }
      if (view.deferMs() == 0) {
        return true;
      }
      long nowMs = settings.clock().wallMs();
      long delayMs = DeferredInBacklog.delayMs(view, nowMs, settings);
      if (delayMs <= 0) {
        return true;
      }
      if (isOverBound()) {
        putBack(delayMs);
        return false;
      }
      Message message = Message.of(view);
      defer(message, delayMs);
      try {
        backend.hold(List.of(HeldMessage.after(message, delayMs, nowMs)));
      } catch (IOException e) {
        // The journal knows its due time, too; the next checkpoint makes up for it.
        settings.diskErrors().failed("deferred messages", e);
      }
      if (ordered) {
        // What is behind it waits for it.
        return false;
      }
    }
    return false;
  }

  /** What was polled last is looked at again when it is due, or when there may be room. */
  private void putBack(long delayMs) {
    backend.putBack(view);
    blocked = true;
    blockedUntilNs =
        settings.clock().nanos() + TimeUnit.MILLISECONDS.toNanos(Math.min(delayMs, LOOK_AGAIN_MS));
  }

  /** The body of a message that {@link #poll} returned without bytes, and its publish time. */
  MessageView view() {
    return view;
  }

  // ---------------------------------------------------------------- looking (changes nothing)

  /** The first messages in the order of delivery. */
  List<Waiting> firstReady(int max) {
    return ordered ? oldest.firstReady(max) : oldest.firstInTurn(max, memoryWasLast);
  }

  /** The deferred messages that are due first. */
  List<Waiting> firstDeferred(int max) {
    return deferred.first(max);
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

  /** Whether anything here becomes ready by itself. */
  boolean awaitsTime() {
    return blocked || deferred.size() > 0;
  }

  /** When the first message becomes ready by itself, or another time if that is earlier. */
  long firstDueNs(long otherwiseNs) {
    long first = deferred.firstDueNs(otherwiseNs);
    return blocked && blockedUntilNs - first < 0 ? blockedUntilNs : first;
  }

  /** Shows every message that memory knows of. */
  void visit(Message.Visitor visitor) {
    memory.visit(visitor);
    deferred.visit(visitor);
  }

  /** The deferred messages, each made when it is asked for. */
  Stream<HeldMessage> deferred() {
    return deferred.held();
  }

  /** Those in memory that came back or were relocated. */
  Stream<HeldMessage> cameBack() {
    return memory.held();
  }

  /** Gives back what memory it has kept for messages to come. */
  void trim() {
    memory.trim();
    deferred.trim();
  }

  /** Drops what memory has; the backend is emptied by itself. */
  void clear() {
    memory.clear();
    deferred.clear();
    blocked = false;
  }
}
