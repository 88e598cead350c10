package io.holdfast.tools.tail;

import io.holdfast.tools.cli.PastTime;
import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.TopicPages;
import io.holdfast.tools.client.TopicPages.PastMessage;
import java.io.IOException;

/**
 * Prints what a broker's topic had before its channel was there, and knows what the channel brings
 * once more. Its follower's thread.
 */
final class PastMessages {
  private final TopicPages pages;
  private final PastTime since;
  private final BrokerAddress broker;

  /** Up to here everything was printed, also what the channel brings late. */
  private long printed;

  /**
   * @param pages of the topic, from {@code since} on
   * @param since older ones are not wanted
   * @param broker TCP address, to be shown
   */
  PastMessages(TopicPages pages, PastTime since, BrokerAddress broker) {
    this.pages = pages;
    this.since = since;
    this.broker = broker;
  }

  /** Prints all that is there and was not printed, up to the printer's limit or the stop. */
  void print(MessagePrinter printer, StopSignal stop) throws IOException {
    while (!stop.stopped() && printer.remaining() > 0) {
      PastMessage message = pages.next();
      if (message == null) {
        break;
      }
      printer.print(message, broker);
    }
    printer.flush();
    printed = pages.last();
  }

  /**
   * Whether a message of the channel is wanted: a topic without channels gives also what it kept
   * back, however old.
   */
  boolean isNew(String id, long timestampNs) {
    boolean isNew =
        Long.compareUnsigned(Long.parseUnsignedLong(id, 16), printed) > 0
            && !since.isAfter(timestampNs);
    if (isNew) {
      pages.skipTo(id);
    }
    return isNew;
  }
}
