package io.holdfast.broker.queue;

import io.holdfast.storage.ledger.ChannelAccount;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;

/**
 * What becomes of a channel's messages that this disk has lost: those of a topic that is shared
 * wait among the deferred ones, a moment each time, while others are asked for them. The channel's
 * lock guards it.
 */
final class LostMessages {
  /** When a message is looked at again while many others are looked for. */
  private static final long LATER_MS = 200;

  private final ChannelSettings settings;
  private final BackendQueue backend;
  private final DeferredMessages deferred;

  LostMessages(ChannelSettings settings, BackendQueue backend, DeferredMessages deferred) {
    this.settings = settings;
    this.backend = backend;
    this.deferred = deferred;
  }

  /**
   * A message of which the channel had a reference could not be read.
   *
   * @param lost receives it when it is finished
   */
  void cannotBeRead(Message message, OrdinalRanges lost) {
    long againMs = backend.lost(message.ordinal());
    if (againMs == ChannelAccount.GONE) {
      lost.add(message.ordinal());
    } else if (againMs != ChannelAccount.LEFT) {
      deferred.add(message, againMs == ChannelAccount.NO_ROOM ? LATER_MS : againMs);
    }
  }

  /**
   * The backend has come to a message that cannot be read.
   *
   * @return 0 when that is done with; else when the backend is to be asked again, ms
   */
  long waits(MessageView view) {
    long againMs = backend.lost(view.ordinal());
    if (againMs == ChannelAccount.NO_ROOM) {
      return LATER_MS;
    }
    if (againMs > 0) {
      deferred.add(Message.of(view), againMs);
    }
    return 0;
  }

  /**
   * A message could be read.
   *
   * @return whether it has come from others only now, is not due as it was published, and waits for
   *     that; its body is asked for once more then
   */
  boolean hasCome(Message message, MessageView view) {
    boolean isCopy = message.bytes == null && view.batchPosition() == MessageRef.NOWHERE;
    if (!isCopy || message.packedAttempts() > 0 || view.deferMs() == 0) {
      return false;
    }
    long delayMs = DeferredInBacklog.delayMs(view, settings.clock().wallMs(), settings);
    if (delayMs > 0) {
      deferred.add(message, delayMs);
    }
    return delayMs > 0;
  }
}
