package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.queue.Names;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * What a node asks a group's leader, big-endian:
 *
 * <pre>
 *  0  u8   version, 1
 *  1  u8   1 PUBLISH, 2 CLOSE: nothing more of this stream is to be taken
 *  2  i32  group
 *  6  i64  term in which it is to be done, or not at all
 * 14  i64  start of the node that asks
 * 22  i64  stream, counted from 1 in each start and group
 * 30       PUBLISH: i64 position in the stream, i64 sequence, i64 deferral ms, i32 count, u8 bytes
 *          of the topic's name, name, section: count x (i32 length, body)
 * </pre>
 *
 * @param isClose whether it is CLOSE; then the fields from {@code position} on mean nothing
 * @param position counted from 0: a leader takes no publish of a stream whose predecessor it did
 *     not take
 * @param sequence of the {@link io.holdfast.broker.cluster.state.Origin}
 * @param section from position to limit
 */
record ForwardRequest(
    boolean isClose,
    int group,
    long term,
    long start,
    long stream,
    long position,
    long sequence,
    long deferMs,
    int count,
    String topic,
    ByteBuffer section) {
  private static final int VERSION = 1;
  private static final int PUBLISH = 1;
  private static final int CLOSE = 2;
  private static final int HEAD_BYTES = 30;
  private static final int PUBLISH_BYTES = 3 * Long.BYTES + Integer.BYTES + 1;

  static ForwardRequest close(int group, long term, long start, long stream) {
    ByteBuffer nothing = ByteBuffer.allocate(0);
    return new ForwardRequest(true, group, term, start, stream, 0, 0, 0, 0, "", nothing);
  }

  /** As bytes for a peer; the section is shared, not copied. */
  ByteBuf write() {
    byte[] name = topic.getBytes(StandardCharsets.US_ASCII);
    ByteBuf head = Unpooled.buffer(HEAD_BYTES + PUBLISH_BYTES + name.length);
    head.writeByte(VERSION).writeByte(isClose ? CLOSE : PUBLISH);
    head.writeInt(group).writeLong(term).writeLong(start).writeLong(stream);
    if (isClose) {
      return head;
    }
    head.writeLong(position).writeLong(sequence).writeLong(deferMs).writeInt(count);
    head.writeByte(name.length).writeBytes(name);
    return Unpooled.wrappedBuffer(head, Unpooled.wrappedBuffer(section.duplicate()));
  }

  /**
   * Reads one.
   *
   * @param from its section is copied
   * @throws IllegalArgumentException in one line, when it is none
   */
  static ForwardRequest read(ByteBuf from) {
    if (from.readableBytes() < HEAD_BYTES) {
      throw new IllegalArgumentException("a request of " + from.readableBytes() + " bytes");
    }
    int version = from.readUnsignedByte();
    int kind = from.readUnsignedByte();
    if (version != VERSION || (kind != PUBLISH && kind != CLOSE)) {
      throw new IllegalArgumentException("a request " + kind + " of version " + version);
    }
    int group = from.readInt();
    long term = from.readLong();
    long start = from.readLong();
    long stream = from.readLong();
    if (kind == CLOSE) {
      return close(group, term, start, stream);
    }
    if (from.readableBytes() < PUBLISH_BYTES) {
      throw new IllegalArgumentException("a publish that ends too early");
    }
    long position = from.readLong();
    long sequence = from.readLong();
    long deferMs = from.readLong();
    int count = from.readInt();
    int nameBytes = from.readUnsignedByte();
    if (from.readableBytes() < nameBytes) {
      throw new IllegalArgumentException("a publish that ends too early");
    }
    String topic = from.readCharSequence(nameBytes, StandardCharsets.US_ASCII).toString();
    ByteBuffer section = ByteBuffer.allocate(from.readableBytes());
    from.readBytes(section);
    section.flip();
    if (!Names.isValid(topic) || deferMs < 0 || !isSection(section, count)) {
      throw new IllegalArgumentException("a publish that is none");
    }
    return new ForwardRequest(
        false, group, term, start, stream, position, sequence, deferMs, count, topic, section);
  }

  /** Whether there are so many messages: what went wrong on the way must not get into a log. */
  private static boolean isSection(ByteBuffer section, int count) {
    ByteBuffer left = section.duplicate();
    for (int i = 0; i < count; i++) {
      if (left.remaining() < Integer.BYTES) {
        return false;
      }
      int bytes = left.getInt();
      if (bytes < 0 || bytes > left.remaining()) {
        return false;
      }
      left.position(left.position() + bytes);
    }
    return count > 0 && !left.hasRemaining();
  }
}
