package io.holdfast.tools.pub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.holdfast.tools.cli.ToolException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/**
 * Cuts a stream into messages. Owned by the thread that reads the input, which also opens it: a
 * named pipe makes whoever opens it wait.
 */
final class MessageInput implements MessageSource {
  /** Opens what is to be read. */
  interface Source {
    InputStream open() throws IOException;
  }

  /** No broker takes a message of this size; a larger one means the wrong format was chosen. */
  private static final int MAX_MESSAGE = 64 << 20;

  /** A field that is there twice, or text after the object, would be left out in silence. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final Source source;
  private final InputFormat format;
  private final long deferMs;

  private final byte[] buffer = new byte[64 << 10];
  private InputStream in;
  private int position;
  private int limit;
  private long consumed;
  private long lines;
  private long skippedEmpty;

  /**
   * @param source opened with the first read
   * @param format how it is cut
   * @param deferMs delay of messages that do not bring their own; 0 = none
   */
  MessageInput(Source source, InputFormat format, long deferMs) {
    this.source = source;
    this.format = format;
    this.deferMs = deferMs;
  }

  @Override
  public long skippedEmpty() {
    return skippedEmpty;
  }

  @Override
  public InputMessage next() throws IOException {
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
        byte[] line = Arrays.copyOfRange(buffer, position, newline);
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
      boolean text = json.hasNonNull("body");
      boolean binary = json.hasNonNull("body_base64");
      if (text && binary) {
        throw new ToolException("line " + lines + " has both \"body\" and \"body_base64\"");
      }
      if (text && json.get("body").isTextual()) {
        return new InputMessage(utf8(json.get("body").textValue()), deferMsOf(json));
      }
      if (binary && json.get("body_base64").isTextual()) {
        byte[] body = Base64.getDecoder().decode(json.get("body_base64").textValue());
        return new InputMessage(body, deferMsOf(json));
      }
    } catch (MismatchedInputException e) {
      throw new ToolException("line " + lines + " has more after its JSON object", e);
    } catch (JsonProcessingException e) {
      throw new ToolException("line " + lines + " is not JSON: " + e.getOriginalMessage(), e);
    } catch (CharacterCodingException e) {
      throw new ToolException("line " + lines + ": body has half a surrogate pair", e);
    } catch (IllegalArgumentException e) {
      throw new ToolException("line " + lines + ": body_base64: " + e.getMessage(), e);
    }
    throw new ToolException(
        "line " + lines + " is not a JSON object with a string \"body\" or \"body_base64\"");
  }

  /** Refuses what {@link String#getBytes} would turn into question marks. */
  private static byte[] utf8(String text) throws CharacterCodingException {
    ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
    byte[] bytes = new byte[encoded.remaining()];
    encoded.get(bytes);
    return bytes;
  }

  private long deferMsOf(JsonNode json) {
    JsonNode own = json.get("defer_ms");
    if (own == null || own.isNull()) {
      return deferMs;
    }
    if (!own.isIntegralNumber() || !own.canConvertToLong() || own.longValue() < 0) {
      throw new ToolException("line " + lines + ": defer_ms is not a number of milliseconds");
    }
    return own.longValue();
  }

  @Override
  public void close() throws IOException {
    if (in != null) {
      in.close();
    }
  }

  private boolean fill() throws IOException {
    if (in == null) {
      in = source.open();
    }
    int count = in.read(buffer);
    position = 0;
    limit = Math.max(count, 0);
    return count > 0;
  }
}
