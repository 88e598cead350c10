package io.holdfast.tools.client;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Iterator;
import java.util.function.Supplier;

/**
 * Reads what a broker's topic has, page by page over its HTTP API, and changes nothing there. One
 * thread.
 */
public final class TopicPages {
  private static final int MAX_MESSAGES = 1000;
  private static final int BODY_BYTES = 1 << 20;

  /** A broker's answer has 16 MiB of bodies at most, but JSON may write six bytes for one. */
  private static final int FEWER = 8;

  private final HttpJson http;
  private final BrokerAddress broker;
  private final String topic;
  private final Supplier<String> from;
  private final boolean mayBeMissing;

  private int most = MAX_MESSAGES;
  private Iterator<JsonNode> page = Collections.emptyIterator();

  /** Where the next page begins; null for the first one. */
  private String next;

  /** Id of the last message that was read, as a number; it is unsigned. */
  private long last;

  /**
   * A message of the topic.
   *
   * @param id 16 hex digits
   * @param timestampNs when it was published, ns since 1970
   */
  @SuppressWarnings("ArrayRecordComponent") // passed on, never compared
  public record PastMessage(String id, long timestampNs, byte[] body) {
    /** The id as a number, unsigned: ids rise in the order of publishing. */
    public long number() {
      return Long.parseUnsignedLong(id, 16);
    }
  }

  /**
   * @param http asks, as whoever may look
   * @param broker its HTTP address
   * @param from where to begin, as {@code from=} has it; asked until something is there
   * @param mayBeMissing whether a topic that is not there is one without messages
   */
  public TopicPages(
      HttpJson http,
      BrokerAddress broker,
      String topic,
      Supplier<String> from,
      boolean mayBeMissing) {
    this.http = http;
    this.broker = broker;
    this.topic = topic;
    this.from = from;
    this.mayBeMissing = mayBeMissing;
  }

  /** Id of the last message that was read or {@link #skipTo skipped}, unsigned; 0 for none. */
  public long last() {
    return last;
  }

  /** Goes on behind this message, which came another way. */
  public void skipTo(String id) {
    long number = Long.parseUnsignedLong(id, 16);
    if (Long.compareUnsigned(number, last) > 0) {
      last = number;
      next = id;
      page = Collections.emptyIterator();
    }
  }

  /**
   * The next message, whole.
   *
   * @return null when there is none now; more may come
   * @throws IOException when the broker does not answer
   * @throws ToolException when it refuses, in one line
   */
  public PastMessage next() throws IOException {
    JsonNode message = nextNode(BODY_BYTES);
    return message == null ? null : whole(message);
  }

  private JsonNode nextNode(int bodyBytes) throws IOException {
    while (true) {
      while (page.hasNext()) {
        JsonNode message = page.next();
        long id = Long.parseUnsignedLong(message.path("id").asText(), 16);
        if (Long.compareUnsigned(id, last) > 0) {
          last = id;
          return message;
        }
      }
      long before = last;
      String at = next;
      JsonNode answer = ask(at == null ? from.get() : at, most, bodyBytes);
      page = answer.path("messages").iterator();
      boolean hasMore = answer.path("next").isTextual();
      if (hasMore) {
        next = answer.path("next").asText();
      } else if (isBehind(answer, before)) {
        return null;
      } else {
        next = lastId(answer);
      }
    }
  }

  /** Whether an answer has nothing that is newer. */
  private static boolean isBehind(JsonNode answer, long id) {
    JsonNode messages = answer.path("messages");
    return messages.isEmpty()
        || Long.compareUnsigned(Long.parseUnsignedLong(lastId(answer), 16), id) <= 0;
  }

  private static String lastId(JsonNode answer) {
    JsonNode messages = answer.path("messages");
    return messages.get(messages.size() - 1).path("id").asText();
  }

  private PastMessage whole(JsonNode message) throws IOException {
    JsonNode all = message;
    String id = message.path("id").asText();
    if (message.path("truncated").asBoolean()) {
      int size = message.path("size").asInt();
      all = ask(id, 1, size).path("messages").path(0);
      if (!id.equals(all.path("id").asText()) || all.path("truncated").asBoolean()) {
        throw new ToolException(
            broker + ": message " + id + " of " + size + " bytes cannot be read whole");
      }
    }
    byte[] body =
        all.has("body")
            ? all.get("body").asText().getBytes(StandardCharsets.UTF_8)
            : all.path("body_base64").binaryValue();
    return new PastMessage(id, all.path("timestamp").asLong(), body);
  }

  private JsonNode ask(String place, int messages, int bodyBytes) throws IOException {
    int count = messages;
    while (true) {
      String path =
          "/topic/peek?topic="
              + encoded(topic)
              + "&from="
              + encoded(place)
              + "&n="
              + count
              + "&bytes="
              + bodyBytes;
      try {
        HttpJson.Answer answer = http.get(broker, path);
        String reason = answer.json().path("message").asText();
        if (answer.status() == 200 || (mayBeMissing && reason.equals("TOPIC_NOT_FOUND"))) {
          return answer.json();
        }
        throw new ToolException(
            broker + ": " + (reason.isEmpty() ? "HTTP status " + answer.status() : reason));
      } catch (IOException e) {
        if (count == 1 || !(e.getCause() instanceof BoundedBody.TooLargeException)) {
          throw e;
        }
        count = Math.max(1, count / FEWER);
        most = Math.min(most, count);
      }
    }
  }

  /**
   * Id of the newest message, unsigned; 0 for none. Looks back further and further, by the broker's
   * clock, until something is there.
   */
  public static long newest(HttpJson http, BrokerAddress broker, String topic) throws IOException {
    for (long seconds = 1; seconds < 1L << 32; seconds *= 16) {
      String back = "-" + seconds + "s";
      long found = lastFrom(new TopicPages(http, broker, topic, () -> back, false));
      if (found != 0) {
        return found;
      }
    }
    return lastFrom(new TopicPages(http, broker, topic, () -> "start", false));
  }

  private static long lastFrom(TopicPages pages) throws IOException {
    JsonNode message = pages.nextNode(0);
    while (message != null) {
      message = pages.nextNode(0);
    }
    return pages.last();
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
