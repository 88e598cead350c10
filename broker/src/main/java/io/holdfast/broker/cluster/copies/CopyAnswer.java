package io.holdfast.broker.cluster.copies;

import io.holdfast.broker.cluster.lead.Copies.Copy;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;

/**
 * What a node has of messages, big-endian: u8 kind, then each message: i64 publish time in ns, i64
 * deferral in ms, i32 length, body.
 *
 * @param messages the first that was asked for and those behind it; empty but for {@link Kind#HERE}
 */
record CopyAnswer(Kind kind, List<Copy> messages) {
  private static final int HEAD_BYTES = 2 * Long.BYTES + Integer.BYTES;

  /** What a node says. */
  enum Kind {
    /** It has no such message yet, or cannot look. */
    UNKNOWN(0),
    /** It has come so far, and cannot read the message. */
    LOST(1),
    /** Here it is. */
    HERE(2);

    /** On the wire. */
    private final int code;

    Kind(int code) {
      this.code = code;
    }
  }

  static final CopyAnswer UNKNOWN = new CopyAnswer(Kind.UNKNOWN, List.of());
  static final CopyAnswer LOST = new CopyAnswer(Kind.LOST, List.of());

  static CopyAnswer here(List<Copy> messages) {
    return new CopyAnswer(Kind.HERE, messages);
  }

  ByteBuf write() {
    int bytes = 1;
    for (Copy message : messages) {
      bytes += HEAD_BYTES + message.body().length;
    }
    ByteBuf to = Unpooled.buffer(bytes).writeByte(kind.code);
    for (Copy message : messages) {
      to.writeLong(message.timestampNs())
          .writeLong(message.deferMs())
          .writeInt(message.body().length)
          .writeBytes(message.body());
    }
    return to;
  }

  /** Reads one; what is none says nothing. */
  static CopyAnswer read(ByteBuf from) {
    int code = from.isReadable() ? from.readUnsignedByte() : 0;
    if (code == Kind.LOST.code) {
      return LOST;
    }
    List<Copy> messages = new ArrayList<>();
    while (code == Kind.HERE.code && from.readableBytes() >= HEAD_BYTES) {
      long timestampNs = from.readLong();
      long deferMs = from.readLong();
      int length = from.readInt();
      if (length < 0 || length > from.readableBytes()) {
        return UNKNOWN;
      }
      byte[] body = new byte[length];
      from.readBytes(body);
      messages.add(new Copy(timestampNs, deferMs, body));
    }
    return messages.isEmpty() ? UNKNOWN : here(messages);
  }
}
