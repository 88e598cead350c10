package io.holdfast.tools.pub;

import io.holdfast.tools.cli.PastTime;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.HttpJson;
import io.holdfast.tools.client.TopicPages;
import io.holdfast.tools.client.TopicPages.PastMessage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Queue;
import java.util.regex.Pattern;

/**
 * The messages that a topic of one or several brokers has when the first one is read, finished or
 * not; what is published meanwhile, perhaps by who reads, does not belong to it.
 */
final class TopicCopy implements MessageSource {
  private final HttpJson http;
  private final Queue<BrokerAddress> brokers;
  private final String topic;
  private final Range range;
  private final long deferMs;

  /** Of the broker that is read now; null before the first one. */
  private TopicPages pages;

  /** Id of the last message of it that is wanted, unsigned. */
  private long end;

  /**
   * Which messages.
   *
   * @param since null for all that is there
   * @param until the first time that is too late, null for none
   * @param match what a body must have in it, null for anything
   */
  record Range(PastTime since, PastTime until, Pattern match) {}

  /**
   * @param brokers HTTP addresses, read one after the other
   * @param deferMs delay of all messages; 0 = none
   */
  TopicCopy(
      HttpJson http, Collection<BrokerAddress> brokers, String topic, Range range, long deferMs) {
    this.http = http;
    this.brokers = new ArrayDeque<>(brokers);
    this.topic = topic;
    this.range = range;
    this.deferMs = deferMs;
  }

  @Override
  public InputMessage next() throws IOException {
    while (pages != null || begin()) {
      PastMessage message = Long.compareUnsigned(pages.last(), end) < 0 ? pages.next() : null;
      boolean isOver =
          message == null
              || Long.compareUnsigned(message.number(), end) > 0
              || (range.until() != null && !range.until().isAfter(message.timestampNs()));
      if (isOver) {
        pages = null;
      } else if (range.match() == null || range.match().matcher(text(message.body())).find()) {
        return new InputMessage(message.body(), deferMs);
      }
    }
    return null;
  }

  private boolean begin() throws IOException {
    BrokerAddress broker = brokers.poll();
    if (broker == null) {
      return false;
    }
    end = TopicPages.newest(http, broker, topic);
    pages =
        new TopicPages(
            http,
            broker,
            topic,
            () -> range.since() == null ? "start" : range.since().place(),
            false);
    return true;
  }

  /** Bytes that are no text are characters of their own. */
  private static String text(byte[] body) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException e) {
      return new String(body, StandardCharsets.ISO_8859_1);
    }
  }

  @Override
  public long skippedEmpty() {
    return 0;
  }

  @Override
  public void close() {
    // Nothing is held.
  }
}
