package io.holdfast.storage.inspect;

import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.JournalView;
import io.holdfast.storage.topic.ChannelRecovery;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.Closeable;
import java.io.IOException;
import java.util.Iterator;
import java.util.function.Consumer;

/**
 * What a channel on disk has not finished, message by message in the order of their ordinals, read
 * as the broker reads it: what the channel holds by reference, the rest in order. Messages that the
 * topic keeps back come at the end. Not thread-safe.
 */
public final class ChannelMessages implements Closeable {
  private final ChannelRecovery channel;
  private final JournalCursor journal;
  private final long end;
  private final Iterator<HeldMessage> allHeld;
  private final MessageView inOrder = new MessageView();
  private final MessageView byReference = new MessageView();

  /** The next one held, null when there is none. */
  private HeldMessage held;

  /** Whether {@link #inOrder} is still to come. */
  private boolean inOrderWaits;

  private MessageView message;

  /**
   * @param unreadable told in one line of what cannot be read
   */
  ChannelMessages(ChannelRecovery channel, JournalView journal, Consumer<String> unreadable) {
    this.channel = channel;
    this.journal = journal.cursor();
    this.journal.onUnreadable(unreadable);
    this.journal.moveTo(channel.cursor());
    end = journal.nextOrdinal();
    allHeld = channel.held().iterator();
    nextHeld();
  }

  private void nextHeld() {
    held = allHeld.hasNext() ? allHeld.next() : null;
  }

  /** Goes to the next message; false when there is none. */
  public boolean next() throws IOException {
    while (true) {
      if (!inOrderWaits) {
        inOrderWaits = nextInOrder();
      }
      boolean isHeld = held != null && (!inOrderWaits || held.ref().ordinal() < inOrder.ordinal());
      if (!isHeld) {
        message = inOrder;
        boolean found = inOrderWaits;
        inOrderWaits = false;
        return found;
      }
      MessageRef ref = held.ref();
      nextHeld();
      if (journal.read(ref, byReference)) {
        message = byReference;
        return true;
      }
    }
  }

  private boolean nextInOrder() throws IOException {
    while (true) {
      long next = channel.skip().nextAbsent(journal.nextOrdinal());
      if (next > journal.nextOrdinal()) {
        // The files of what is finished may be gone.
        journal.moveTo(Math.min(next, end));
      }
      if (!journal.next(inOrder, end)) {
        return false;
      }
      if (!channel.skip().contains(inOrder.ordinal())) {
        return true;
      }
    }
  }

  /** The message; valid until the next call of {@link #next}. */
  public MessageView message() {
    return message;
  }

  @Override
  public void close() {
    journal.close();
  }
}
