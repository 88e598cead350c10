package io.holdfast.tools.pub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.tools.ToolException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Cuts a stream into messages. Owned by the thread that reads the input. */
final class MessageInput {
  /** No broker takes a message of this size; a larger one means the wrong format was chosen. */
  private static final int MAX_MESSAGE = 64 << 20;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final InputStream in;
  private final InputFormat format;
  private final long deferMs;

  private final byte[] buffer = new byte[64 << 10];
  private int position;
  private int limit;
  private long consumed;
  private long lines;
  private long skippedEmpty;

  /**
   * @param in read in large pieces, not closed
   * @param format how it is cut
   * @param deferMs delay of messages that do not bring their own; 0 = none
   */
  MessageInput(InputStream in, InputFormat format, long deferMs) {
    this.in = in;
    this.format = format;
    this.deferMs = deferMs;
  }

  /**
   * @return empty messages left out so far; no broker takes them
   */
  long skippedEmpty() {
    return skippedEmpty;
  }

  /**
   * Reads the next message that is not empty.
   *
   * @return null at the end
   * @throws ToolException when the input is not in the format
   * @throws IOException when reading fails
   */
  InputMessage next() throws IOException {
    while (true) {
      InputMessage message =
          switch (format) {
            case LINE -> plain(line());
            case LENGTH -> plain(lengthPrefixed());
            case JSON -> json();
          };
      if (message == null || message.body().length > 0) {
        return message;
      }
      skippedEmpty++;
    }
  }

  private InputMessage plain(byte[] body) {
    return body == null ? null : new InputMessage(body, deferMs);
  }

  private byte[] line() throws IOException {
    ByteArrayOutputStream head = null;
    while (true) {
      if (position == limit && !fill()) {
        return head == null ? null : head.toByteArray();
      }
      int newline = position;
      while (newline < limit && buffer[newline] != '\n') {
        newline++;
      }
      int count = newline - position;
      if (newline < limit && head == null) {
        byte[] line = java.util.Arrays.copyOfRange(buffer, position, newline);
        skip(count + 1);
        return line;
      }
      head = head == null ? new ByteArrayOutputStream(2 * count) : head;
      head.write(buffer, position, count);
      if (head.size() > MAX_MESSAGE) {
        throw new ToolException("line " + (lines + 1) + " is longer than 64 MB");
      }
      if (newline < limit) {
        skip(count + 1);
        return head.toByteArray();
      }
      position = limit;
      consumed += count;
    }
  }

  private void skip(int count) {
    position += count;
    consumed += count;
    lines++;
  }

  private byte[] lengthPrefixed() throws IOException {
    long start = consumed;
    byte[] prefix = exactly(4, start);
    if (prefix == null) {
      return null;
    }
    int length =
        (prefix[0] & 0xff) << 24
            | (prefix[1] & 0xff) << 16
            | (prefix[2] & 0xff) << 8
            | (prefix[3] & 0xff);
    if (length < 0 || length > MAX_MESSAGE) {
      throw new ToolException(
          "length "
              + length
              + " at byte "
              + start
              + " of the input is not plausible; is it length-prefixed (int32, big-endian)?");
    }
    byte[] body = exactly(length, start);
    if (body == null) {
      throw endsWithin(start);
    }
    return body;
  }

  private byte[] exactly(int count, long start) throws IOException {
    byte[] bytes = new byte[count];
    int have = 0;
    while (have < count) {
      if (position == limit && !fill()) {
        if (have == 0) {
          return null;
        }
        throw endsWithin(start);
      }
      int more = Math.min(count - have, limit - position);
      System.arraycopy(buffer, position, bytes, have, more);
      position += more;
      consumed += more;
      have += more;
    }
    return bytes;
  }

  private static ToolException endsWithin(long start) {
    return new ToolException(
        "the input ends within the message that starts at byte "
            + start
            + "; it was not published");
  }

  private InputMessage json() throws IOException {
    byte[] line = line();
    if (line == null) {
      return null;
    }
    if (line.length == 0) {
      return new InputMessage(line, 0);
    }
    try {
      JsonNode json = JSON.readTree(line);
      if (json.path("body").isTextual()) {
        return new InputMessage(
            json.get("body").textValue().getBytes(StandardCharsets.UTF_8), deferMsOf(json));
      }
      if (json.path("body_base64").isTextual()) {
        return new InputMessage(json.get("body_base64").binaryValue(), deferMsOf(json));
      }
    } catch (JsonProcessingException e) {
      throw new ToolException("line " + lines + " is not JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new ToolException("line " + lines + ": " + e.getMessage(), e);
    }
    throw new ToolException(
        "line " + lines + " is not a JSON object with a string \"body\" or \"body_base64\"");
  }

  private long deferMsOf(JsonNode json) {
    JsonNode own = json.get("defer_ms");
    if (own == null || own.isNull()) {
      return deferMs;
    }
    if (!own.isIntegralNumber() || own.longValue() < 0) {
      throw new ToolException("line " + lines + ": defer_ms is not a number of milliseconds");
    }
    return own.longValue();
  }

  private boolean fill() throws IOException {
    int count = in.read(buffer);
    position = 0;
    limit = Math.max(count, 0);
    return count > 0;
  }
}
