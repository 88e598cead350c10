package io.holdfast.broker.cluster.copies;

import io.holdfast.broker.cluster.lead.Copies.Copy;
import io.holdfast.broker.cluster.state.GroupState;
import io.holdfast.broker.cluster.state.ReplicatedTopic;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads messages from this node's own journals for a node that has lost them. */
final class CopyReader {
  private static final Logger LOG = LoggerFactory.getLogger(CopyReader.class);

  /** Bytes of bodies that one answer has; one message comes anyway. */
  private static final int MAX_BYTES = 1 << 20;

  private CopyReader() {}

  /**
   * Reads what was asked for; waits for the disk.
   *
   * @param state of the group, null when that does not run here
   */
  static CopyAnswer read(GroupState state, CopyRequest request) {
    ReplicatedTopic topic = state == null ? null : state.topic(request.topic());
    if (topic == null) {
      return CopyAnswer.UNKNOWN;
    }
    // Its journal is not closed meanwhile, and no file of it is half written.
    synchronized (topic.lock()) {
      if (state.topic(request.topic()) != topic
          || request.ordinal() >= topic.journal().nextOrdinal()) {
        return CopyAnswer.UNKNOWN;
      }
      try {
        List<Copy> messages = read(topic, request.ordinal(), request.max());
        return messages.isEmpty() ? CopyAnswer.LOST : CopyAnswer.here(messages);
      } catch (IOException e) {
        LOG.warn("CLUSTER: TOPIC({}): cannot be read for another node", topic.name(), e);
        return CopyAnswer.UNKNOWN;
      }
    }
  }

  private static List<Copy> read(ReplicatedTopic topic, long first, int max) throws IOException {
    List<Copy> messages = new ArrayList<>();
    long bytes = 0;
    long end = Math.min(first + max, topic.journal().nextOrdinal());
    MessageView view = new MessageView();
    try (JournalCursor cursor = topic.journal().cursor()) {
      for (long ordinal = first; ordinal < end && read(topic, ordinal, cursor, view); ordinal++) {
        bytes += view.bodyLength();
        if (bytes > MAX_BYTES && !messages.isEmpty()) {
          break;
        }
        byte[] body = new byte[view.bodyLength()];
        view.body().get(body);
        messages.add(new Copy(view.timestampNs(), view.deferMs(), body));
      }
    }
    return messages;
  }

  /** Of a message that was carried forward the copy is read: its own record may be gone. */
  private static boolean read(
      ReplicatedTopic topic, long ordinal, JournalCursor cursor, MessageView to)
      throws IOException {
    CarriedMessage carried = topic.carried(ordinal);
    if (carried != null && cursor.read(carried.place(), to)) {
      return true;
    }
    if (cursor.nextOrdinal() != ordinal) {
      cursor.moveTo(ordinal);
    }
    return cursor.next(to, ordinal + 1);
  }
}
