package io.holdfast.tools.tail;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.tools.cli.Visible;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.NsqConnection;
import io.holdfast.tools.client.TopicPages.PastMessage;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;

/** Prints messages of all followers to one stream, up to a limit. Thread-safe. */
final class MessagePrinter {
  private static final ObjectMapper JSON = new ObjectMapper(Visible.jsonFactory());

  private final PrintStream out;
  private final OutputFormat format;
  private final String topic;
  private final long limit;
  private final boolean terminal;

  // Guarded by this.
  private long printed;

  /**
   * @param out where to print
   * @param format how
   * @param topic the topic's name, for JSON
   * @param limit most messages; 0 = no limit
   * @param terminal whether people look: bodies must not steer it then
   */
  MessagePrinter(PrintStream out, OutputFormat format, String topic, long limit, boolean terminal) {
    this.out = out;
    this.format = format;
    this.topic = topic;
    this.limit = limit;
    this.terminal = terminal;
  }

  /**
   * @return messages printed
   */
  synchronized long printed() {
    return printed;
  }

  /**
   * @return messages that may still be printed; {@link Long#MAX_VALUE} without a limit
   */
  synchronized long remaining() {
    return limit == 0 ? Long.MAX_VALUE : limit - printed;
  }

  /**
   * Prints the current message of a connection.
   *
   * @param connection its reading thread calls
   * @return false when the limit was reached before; the message is then not printed
   * @throws IOException when the body cannot be put into JSON
   */
  boolean print(NsqConnection connection) throws IOException {
    return print(
        new Shown(
            connection.messageId(),
            connection.messageTimestampNs(),
            connection.messageAttempts(),
            connection.address(),
            connection.buffer(),
            connection.bodyOffset(),
            connection.bodyLength()));
  }

  /**
   * Prints a message that was read from the topic, as {@link #print(NsqConnection)}.
   *
   * @param broker its TCP address
   */
  boolean print(PastMessage message, BrokerAddress broker) throws IOException {
    byte[] body = message.body();
    return print(new Shown(message.id(), message.timestampNs(), 0, broker, body, 0, body.length));
  }

  /** A message to print; attempts are 0 where it was not delivered. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Shown(
      String id,
      long timestampNs,
      int attempts,
      BrokerAddress broker,
      byte[] buffer,
      int offset,
      int length) {}

  private synchronized boolean print(Shown message) throws IOException {
    if (remaining() == 0) {
      return false;
    }
    byte[] buffer = message.buffer();
    int offset = message.offset();
    int length = message.length();
    switch (format) {
      case TEXT -> {
        if (terminal) {
          out.print(Visible.text(new String(buffer, offset, length, StandardCharsets.UTF_8)));
        } else {
          out.write(buffer, offset, length);
        }
      }
      case HEX -> out.print(HexFormat.of().formatHex(buffer, offset, offset + length));
      case BASE64 -> {
        byte[] encoded =
            Base64.getEncoder().encode(Arrays.copyOfRange(buffer, offset, offset + length));
        out.write(encoded, 0, encoded.length);
      }
      case JSON -> {
        byte[] json = JSON.writeValueAsBytes(json(message));
        out.write(json, 0, json.length);
      }
    }
    out.write('\n');
    printed++;
    return true;
  }

  private ObjectNode json(Shown message) {
    byte[] buffer = message.buffer();
    int offset = message.offset();
    int length = message.length();
    long timestampNs = message.timestampNs();
    ObjectNode json = JSON.createObjectNode();
    json.put("topic", topic);
    json.put("id", message.id());
    json.put(
        "time",
        Instant.ofEpochSecond(timestampNs / 1_000_000_000, timestampNs % 1_000_000_000).toString());
    json.put("timestamp", timestampNs);
    json.put("attempts", message.attempts());
    json.put("broker", message.broker().toString());
    try {
      json.put(
          "body",
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(buffer, offset, length))
              .toString());
    } catch (CharacterCodingException e) { // Not text: every byte must come back from pub.
      json.put("body_base64", Arrays.copyOfRange(buffer, offset, offset + length));
    }
    return json;
  }

  /**
   * Flushes; only then may messages be finished.
   *
   * @throws io.holdfast.tools.CheckedOutput.Failure when not everything could be written
   */
  synchronized void flush() {
    out.flush();
  }
}
