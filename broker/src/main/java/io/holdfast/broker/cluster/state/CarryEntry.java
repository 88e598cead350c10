package io.holdfast.broker.cluster.state;

import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Makes an entry of messages that are to be carried forward in a topic's journal; can be used
 * again:
 *
 * <pre>
 * i64 topic, i32 count, count x (i64 ordinal, i64 time ns, i64 deferral ms, i32 length, body)
 * </pre>
 *
 * <p>It has the bodies, as its leader has read them: so each node has a copy, whatever its own disk
 * has lost, and has it again after its journals were cut back. Not thread-safe.
 */
public final class CarryEntry {
  private static final int MESSAGE_BYTES = 3 * Long.BYTES + Integer.BYTES;
  private static final int COUNT_OFFSET = Entries.HEAD_BYTES + Long.BYTES;
  private static final int FIRST_BYTES = 1 << 10;

  private ByteBuffer buffer = ByteBuffer.allocate(FIRST_BYTES);
  private int count;

  /**
   * An empty one.
   *
   * @param topic number
   */
  public CarryEntry(long topic) {
    buffer.position(Entries.HEAD_BYTES).putLong(topic).putInt(0);
  }

  /** Whether it says nothing. */
  public boolean isEmpty() {
    return count == 0;
  }

  /** Bytes of the entry so far. */
  public int bytes() {
    return buffer.position();
  }

  /** Adds a message. */
  public void add(MessageView message) {
    int needed = buffer.position() + MESSAGE_BYTES + message.bodyLength();
    if (needed > buffer.capacity()) {
      buffer = ByteBuffer.allocate(Math.max(needed, 2 * buffer.capacity())).put(buffer.flip());
    }
    buffer.putLong(message.ordinal()).putLong(message.timestampNs()).putLong(message.deferMs());
    buffer.putInt(message.bodyLength()).put(message.body());
    count++;
  }

  /**
   * The entry, in memory of its own; what comes next is of another one.
   *
   * @param timeNs the leader's time, ns since 1970
   */
  public ByteBuffer toEntry(long timeNs) {
    int bytes = buffer.position() - Entries.HEAD_BYTES;
    buffer.putInt(COUNT_OFFSET, count);
    ByteBuffer entry = Entries.begin(EntryType.CARRY, timeNs, bytes);
    entry.put(buffer.array(), Entries.HEAD_BYTES, bytes);
    buffer.position(COUNT_OFFSET + Integer.BYTES);
    count = 0;
    return Entries.seal(entry);
  }

  /** Told of the messages of an entry. */
  interface Messages {
    /**
     * One message.
     *
     * @param message until this returns
     */
    void message(MessageView message) throws IOException;
  }

  /** Reads the payload of an entry of this type, behind the topic. */
  static void read(Entry entry, Messages messages) throws IOException {
    ByteBuffer from = entry.payload();
    MessageView view = new MessageView();
    for (int left = entry.read(ByteBuffer::getInt); left > 0; left--) {
      long ordinal = entry.readLong();
      long timeNs = entry.readLong();
      long deferMs = entry.readLong();
      int length = entry.read(ByteBuffer::getInt);
      if (length < 0 || length > from.remaining()) {
        throw new IOException("a carried message of " + length + " bytes ends too early");
      }
      int at = from.position();
      view.set(ordinal, timeNs, deferMs, MessageRef.NOWHERE, from.duplicate(), at, length, 0);
      messages.message(view);
      from.position(at + length);
    }
  }
}
