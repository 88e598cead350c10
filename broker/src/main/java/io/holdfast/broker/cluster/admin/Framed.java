package io.holdfast.broker.cluster.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;

/** A head in JSON and bytes as they are, as one payload: i32 length of the head, head, bytes. */
final class Framed {
  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private Framed() {}

  static byte[] json(Object value) {
    try {
      return JSON.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Writes one.
   *
   * @param rest null for nothing
   */
  static ByteBuf write(Object head, byte[] rest) {
    byte[] json = json(head);
    ByteBuf length = Unpooled.buffer(Integer.BYTES).writeInt(json.length);
    return rest == null
        ? Unpooled.wrappedBuffer(length, Unpooled.wrappedBuffer(json))
        : Unpooled.wrappedBuffer(
            length, Unpooled.wrappedBuffer(json), Unpooled.wrappedBuffer(rest));
  }

  /**
   * Reads the head.
   *
   * @throws IllegalArgumentException in one line, for what is none
   */
  static <H> H readHead(ByteBuf from, Class<H> type) {
    int length = from.readableBytes() < Integer.BYTES ? -1 : from.readInt();
    if (length < 0 || length > from.readableBytes()) {
      throw new IllegalArgumentException("a head of " + length + " bytes");
    }
    byte[] json = new byte[length];
    from.readBytes(json);
    H head;
    try {
      head = JSON.readValue(json, type);
    } catch (IOException e) {
      throw new IllegalArgumentException("a head that is not understood", e);
    }
    if (head == null) {
      throw new IllegalArgumentException("a head that is null");
    }
    return head;
  }

  /** What comes behind the head. */
  static byte[] readRest(ByteBuf from) {
    return ByteBufUtil.getBytes(from);
  }
}
