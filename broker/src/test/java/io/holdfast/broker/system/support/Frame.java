package io.holdfast.broker.system.support;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One frame from the broker (contract §1.1).
 *
 * @param type 0 response, 1 error, 2 message
 * @param data without size and type
 */
public record Frame(int type, byte[] data) {
  public static final int RESPONSE = 0;
  public static final int ERROR = 1;
  public static final int MESSAGE = 2;

  /** The data as ISO 8859-1, so that any byte survives. */
  public String text() {
    return new String(data, StandardCharsets.ISO_8859_1);
  }

  public boolean isHeartbeat() {
    return type == RESPONSE && text().equals("_heartbeat_");
  }

  /** The frame's message. Fails for other types and for frames too short (contract §3). */
  public Msg message() {
    if (type != MESSAGE || data.length < 26) {
      throw new AssertionError("not a message frame: " + this);
    }
    ByteBuffer buffer = ByteBuffer.wrap(data);
    long timestampNs = buffer.getLong();
    int attempts = buffer.getShort() & 0xffff;
    String id = new String(data, 10, 16, StandardCharsets.ISO_8859_1);
    return new Msg(timestampNs, attempts, id, Arrays.copyOfRange(data, 26, data.length));
  }

  @Override
  public String toString() {
    return "type "
        + type
        + ": "
        + (text().length() > 300 ? text().substring(0, 300) + "..." : text());
  }

  /**
   * A delivered message: publish time in ns since the epoch, attempts (first delivery 1), id of 16
   * characters.
   */
  public record Msg(long timestampNs, int attempts, String id, byte[] body) {
    public String text() {
      return new String(body, StandardCharsets.ISO_8859_1);
    }
  }
}
